"""client.py URL: Python's websockets against the chat of the test. Each thing that works
is a line "ok NAME"."""

import asyncio
import json
import sys

import websockets


def check(name, ok, got=None):
    if not ok:
        sys.exit(f"{name}: {got!r}")
    print("ok", name)


async def refusal(url, **options):
    try:
        async with websockets.connect(url, **options):
            return 101
    except websockets.InvalidStatusCode as e:
        return e.status_code


async def main(url):
    origin = url.replace("ws", "http", 1).rsplit("/ws/", 1)[0]
    async with websockets.connect(url, extra_headers={"Authorization": "Bearer ada"}, open_timeout=5) as socket:
        check("log-in by a header", socket.open)
        check("no compression", not socket.extensions, socket.extensions)
        await socket.send(json.dumps({"text": "grüße 😀"}, ensure_ascii=False))
        text = await socket.recv()
        check("text", json.loads(text)["text"] == "grüße 😀", text)
        await asyncio.wait_for(await socket.ping(b"hello"), 5)
        check("ping", True)
        await socket.send(['{"text":"in ', 'fragments"}'])
        text = await socket.recv()
        check("fragments", json.loads(text)["text"] == "in fragments", text)
        await socket.close(1000, "bye")
        check("close", socket.close_code == 1000, socket.close_code)
    async with websockets.connect(url, subprotocols=["bearer", "ada"], origin=origin) as socket:
        check("log-in beside a subprotocol", socket.subprotocol == "bearer", socket.subprotocol)
        await socket.send(b"\x00\x01")
        try:
            await socket.recv()
        except websockets.ConnectionClosed as e:
            check("binary is refused", e.code == 1003, e.code)
    got = await refusal(url)
    check("nobody", got == 401, got)
    got = await refusal(url, subprotocols=["bearer", "ada"], origin="https://evil.example")
    check("wrong origin", got == 403, got)


asyncio.run(asyncio.wait_for(main(sys.argv[1]), 20))
