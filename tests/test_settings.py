from datetime import date

import pytest

from petitions.errors import ConfigError
from petitions.records import Source
from petitions.settings import Settings


def test_an_empty_environment_gives_the_defaults():
    settings = Settings.from_env({})
    assert (settings.source, settings.topics, settings.requests_per_second) == ("assembly", 9, 2.0)


def test_values_are_read_by_the_type_of_their_field():
    settings = Settings.from_env({"PETITIONS_TOPICS": "12", "PETITIONS_REQUESTS_PER_SECOND": "0.5", "OTHER": "x"})
    assert (settings.topics, settings.requests_per_second) == (12, 0.5)


def test_the_number_of_topics_may_be_left_to_the_fit():
    assert Settings.from_env({"PETITIONS_TOPICS": "auto"}).topics == "auto"


def test_an_empty_value_means_the_default():
    assert Settings.from_env({"PETITIONS_TOPICS": ""}).topics == 9
    assert Settings.from_env({"PETITIONS_VOLUME_SINCE": ""}).volume_since is None


@pytest.mark.parametrize("prompts", ["", "query: |passage: ", "|"])
def test_prompts_keep_their_blanks(prompts):
    assert Settings.from_env({"PETITIONS_EMBEDDING_PROMPTS": prompts}).embedding_prompts == prompts


@pytest.mark.parametrize("prompts", ["query: ", "a|b|c"])
def test_prompts_are_two(prompts):
    with pytest.raises(ConfigError, match=r"PETITIONS_EMBEDDING_PROMPTS must be the prompt of a question, \| and that"):
        Settings(embedding_prompts=prompts)


def test_the_day_of_a_new_level_is_read_as_a_date_and_may_lie_ahead():
    assert Settings.from_env({"PETITIONS_VOLUME_SINCE": "2019-04-01"}).volume_since == date(2019, 4, 1)
    assert Settings.from_env({"PETITIONS_VOLUME_SINCE": "2999-01-01"}).volume_since == date(2999, 1, 1)


def test_the_address_of_the_webhook_is_a_secret_that_no_error_shows():
    with pytest.raises(ConfigError, match="PETITIONS_NOTIFY_WEBHOOK must be an http") as caught:
        Settings.from_env({"PETITIONS_NOTIFY_WEBHOOK": "hooks.example.org/secret"})
    assert "secret" not in str(caught.value)


def test_a_login_of_a_site_is_kept_apart_and_nothing_secret_is_printed():
    settings = Settings.from_env(
        {
            "PETITIONS_BLUEHOUSE_URL": "https://me:s3cret%40%2F@mirror.test:8443/19th/",
            "PETITIONS_DATABASE_URL": "postgresql://me:s3cret@db/name",
            "PETITIONS_NOTIFY_WEBHOOK": "https://hooks.test/s3cret",
        }
    )
    assert settings.site_url(Source("bluehouse")) == "https://mirror.test:8443/19th"
    login = settings.site_logins["bluehouse"]
    assert (login.user, login.password) == ("me", "s3cret@/")
    assert settings.site_logins.get("assembly") is None
    assert "s3cret" not in repr(settings)


@pytest.mark.parametrize(
    ("name", "value", "message"),
    [
        ("PETITIONS_TOPIC", "9", "unknown setting PETITIONS_TOPIC"),
        ("PETITIONS_TOPICS", "nine", "PETITIONS_TOPICS must be a number or auto, got 'nine'"),
        ("PETITIONS_TOPICS", "1", "PETITIONS_TOPICS must be 2 to 200, got 1"),
        ("PETITIONS_TOPICS", "0", "PETITIONS_TOPICS must be 2 to 200, got 0"),
        ("PETITIONS_CONNECTIONS", "auto", "PETITIONS_CONNECTIONS must be a number, got 'auto'"),
        ("PETITIONS_VOLUME_SINCE", "2019-04-31", "PETITIONS_VOLUME_SINCE must be a date such as 2019-04-01, got "),
        ("PETITIONS_VOLUME_SINCE", "April", "PETITIONS_VOLUME_SINCE must be a date such as 2019-04-01, got 'April'"),
        ("PETITIONS_SOURCE", "senate", "PETITIONS_SOURCE must be one of assembly, bluehouse, sample, got 'senate'"),
        ("PETITIONS_CONNECTIONS", "0", "PETITIONS_CONNECTIONS must be 1 to 64, got 0"),
        ("PETITIONS_REQUESTS_PER_SECOND", "nan", "PETITIONS_REQUESTS_PER_SECOND must be 0.01 to 10000, got nan"),
        ("PETITIONS_ACCELERATOR", "npu", "PETITIONS_ACCELERATOR must be one of auto, tpu, gpu, cpu, got 'npu'"),
        ("PETITIONS_CPU_ENGINE", "mkl", "PETITIONS_CPU_ENGINE must be one of auto, tensorflow, onnxruntime, got 'mkl'"),
        ("PETITIONS_GPU_ENGINE", "auto", "unknown setting PETITIONS_GPU_ENGINE"),
        ("PETITIONS_ASSEMBLY_URL", "ftp://x", "PETITIONS_ASSEMBLY_URL must be an http"),
        (
            "PETITIONS_ASSEMBLY_URL",
            "http://host:notaport",
            "must be an http(s) address, such as https://host:8443, in whose",
        ),
        ("PETITIONS_ASSEMBLY_URL", "http://u:secret@host:99999", "got 'http://host:99999'"),
        ("PETITIONS_BLUEHOUSE_URL", "http://[::1", "PETITIONS_BLUEHOUSE_URL must be an http(s) address"),
        ("PETITIONS_BLUEHOUSE_URL", "http://", "PETITIONS_BLUEHOUSE_URL must be an http(s) address"),
        ("PETITIONS_BLUEHOUSE_URL", "http://a..b", "PETITIONS_BLUEHOUSE_URL must be an http(s) address"),
        ("PETITIONS_BLUEHOUSE_URL", "http://a b", "PETITIONS_BLUEHOUSE_URL must be an http(s) address"),
        ("PETITIONS_NOTIFY_WEBHOOK", "http://host:notaport", "PETITIONS_NOTIFY_WEBHOOK must be an http(s) address"),
        ("PETITIONS_ASSEMBLY_URL", "http://u:p/w@x", "/ and @ are written %2F and %40, got 'http://...@x'"),
        (
            "PETITIONS_ASSEMBLY_URL",
            "u:p w@x",
            "must be an http(s) address, such as https://host:8443, in whose user and",
        ),
    ],
)
def test_what_cannot_be_is_refused_by_name_value_and_limit(name, value, message):
    with pytest.raises(ConfigError) as caught:
        Settings.from_env({name: value})
    assert message in str(caught.value)
