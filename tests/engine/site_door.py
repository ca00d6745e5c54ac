"""Opens the stand-in for a site to the other containers: it listens on 127.0.0.1 alone, as it should on a machine.

Run in a container of its own, see site.yaml: `python site_door.py PORT COMMAND…` starts the command, which listens on
127.0.0.1:8601, and hands on what comes to PORT. Ends when the command does.
"""

import asyncio
import subprocess
import sys

INSIDE = 8601


async def hand_on(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Copy one way until its end."""
    while data := await reader.read(65_536):
        writer.write(data)
        await writer.drain()
    writer.close()


async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Hand one connection on, both ways."""
    try:
        inner_reader, inner_writer = await asyncio.open_connection("127.0.0.1", INSIDE)
        await asyncio.gather(hand_on(reader, inner_writer), hand_on(inner_reader, writer))
    except OSError:
        writer.close()  # as a server that is not there yet, or a client that went away


async def main(port: int, command: list[str]) -> int:
    """Serve until the command ends."""
    process = subprocess.Popen(command)
    async with await asyncio.start_server(serve, "0.0.0.0", port):
        return await asyncio.to_thread(process.wait)


if __name__ == "__main__":
    sys.exit(asyncio.run(main(int(sys.argv[1]), sys.argv[2:])))
