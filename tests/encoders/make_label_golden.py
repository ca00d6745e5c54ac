"""Logits by transformers and PyTorch of a folder of a BertForSequenceClassification, as JSON: its argument."""

import json
import sys

import torch
import transformers

TEXTS = ["학교 앞 도로에 신호등을", "강아지를 버리는 사람", "가", "", "버스가 다니는 마을에 노인은"]

folder = sys.argv[1]
model = transformers.AutoModelForSequenceClassification.from_pretrained(folder, dtype=torch.float32).eval()
tokenizer = transformers.AutoTokenizer.from_pretrained(folder)
with torch.no_grad():
    logits = [model(**tokenizer(text, return_tensors="pt")).logits[0].tolist() for text in TEXTS]
made_by = f"PyTorch {torch.__version__}, transformers {transformers.__version__}, {type(model).__name__}"
labels = [model.config.id2label[number] for number in range(len(logits[0]))]
rounded = [[round(one, 6) for one in row] for row in logits]
sys.stdout.write(
    json.dumps({"made_by": made_by, "labels": labels, "texts": TEXTS, "logits": rounded}, ensure_ascii=False) + "\n"
)
