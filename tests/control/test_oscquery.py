"""OSCQuery as a real client sees it, over HTTP and WebSocket."""

import asyncio
import gc
import json
import socket
from contextlib import asynccontextmanager

import aiohttp
import pytest
from pythonosc.osc_message import OscMessage

from oscsynth import lan
from oscsynth.control.guard import Guard
from oscsynth.control.namespace import Namespace
from oscsynth.control.oscquery import Listener, OscQuery
from oscsynth.errors import OscsynthError

from .catalogue import player, send

P = "/oscsynth/"


class Query:
    """An open `OscQuery`, and a client of it."""

    def __init__(self, instrument, oscquery, client):
        self.instrument, self.oscquery, self.client = instrument, oscquery, client
        self.url = f"http://127.0.0.1:{oscquery.port}"

    async def get(self, path, **headers):
        async with self.client.get(self.url + path, headers=headers) as response:
            text = await response.text()
            return response.status, json.loads(text) if response.status == 200 else text

    async def hear(self, stream):
        """Return the next message of a stream: a command, or an address with its values."""
        message = await stream.receive(timeout=2)
        if message.type is aiohttp.WSMsgType.TEXT:
            return tuple(json.loads(message.data).values())
        packet = OscMessage(message.data)
        return packet.address, *packet.params


@asynccontextmanager
async def query():
    instrument, _ = player()
    oscquery = OscQuery(instrument, ("127.0.0.1", 57140))
    await oscquery.open("127.0.0.1", 0)
    async with aiohttp.ClientSession() as client:
        yield Query(instrument, oscquery, client)
    await oscquery.close()


def with_query(test):
    """Run a coroutine that is given a `Query`."""

    def run():
        async def main():
            async with query() as q:
                await test(q)

        asyncio.run(main())

    run.__name__ = test.__name__
    return run


@with_query
async def test_host_info_says_where_osc_goes_and_what_is_understood(q):
    status, info = await q.get("/?HOST_INFO")
    assert status == 200
    assert (info["OSC_IP"], info["OSC_PORT"], info["OSC_TRANSPORT"], info["WS_PORT"]) == ("127.0.0.1", 57140, "UDP", q.oscquery.port)
    assert info["EXTENSIONS"]["LISTEN"] is True
    assert info["EXTENSIONS"]["TAGS"] is False


@with_query
async def test_values_are_those_that_stand(q):
    send(q.instrument, "latent/2", 0.25)
    assert await q.get("/oscsynth/latent/2?VALUE") == (200, {"VALUE": [0.25]})
    _status, tree = await q.get("/")
    assert tree["CONTENTS"]["oscsynth"]["CONTENTS"]["latent"]["CONTENTS"]["2"]["VALUE"] == [0.25]


@with_query
async def test_one_attribute_alone(q):
    assert await q.get("/oscsynth/gain?UNIT") == (200, {"UNIT": ["dB"]})
    _status, contents = await q.get("/oscsynth/latent?CONTENTS")
    assert "bow" in contents["CONTENTS"]


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/oscsynth/latent?VALUE", 204),
        ("/oscsynth/patch/next?VALUE", 204),
        ("/oscsynth/pan?UNIT", 204),
        ("/oscsynth/gain?TAGS", 204),
        ("/oscsynth/gain?NONSENSE", 400),
        ("/oscsynth/gain?VALUE&TYPE", 400),
        ("/oscsynth/nothing", 404),
        ("/oscsynth/nothing?VALUE", 404),
    ],
)
def test_what_is_not_there(path, status):
    @with_query
    async def run(q):
        assert (await q.get(path))[0] == status

    run()


@with_query
async def test_a_page_whose_name_was_made_to_lead_here_is_refused(q):
    for host in ("evil.example", "evil.example:57141", "127.0.0.1.evil.example", "", "user@127.0.0.1", "[::1", "localhost:x"):
        assert (await q.get("/", Host=host))[0] in (400, 403), host
    for host in ("localhost:57141", "127.0.0.1", "[::1]:57141", f"{socket.gethostname()}:57141"):
        assert (await q.get("/?HOST_INFO", Host=host))[0] == 200, host


@with_query
async def test_a_page_of_another_site_is_refused(q):
    for origin in ("http://evil.example", "https://evil.example:57141", "null", "http://127.0.0.1@evil.example", "file://"):
        assert (await q.get("/", Origin=origin))[0] == 403, origin
        with pytest.raises(aiohttp.WSServerHandshakeError):
            await q.client.ws_connect(q.url, headers={"Origin": origin})
    async with q.client.get(q.url, headers={"Origin": "http://localhost:8000"}) as response:
        assert response.headers["Access-Control-Allow-Origin"] == "http://localhost:8000"


@pytest.mark.skipif(not lan.addresses("0.0.0.0"), reason="this computer is in no network")
@pytest.mark.parametrize(("is_open", "status"), [(True, 200), (False, 403)])
def test_the_network_is_told_nothing_unless_it_is_let_in(is_open, status):
    here = lan.addresses("0.0.0.0")[0]

    async def main():
        oscquery = OscQuery(player()[0], ("0.0.0.0", 57140), Guard(lan=is_open))
        await oscquery.open(here, 0)
        async with aiohttp.ClientSession() as client, client.get(f"http://{here}:{oscquery.port}/?HOST_INFO") as response:
            assert response.status == status
            if is_open:
                assert (await response.json())["OSC_IP"] == here
        await oscquery.close()

    asyncio.run(main())


@with_query
async def test_a_listener_hears_the_value_at_once_and_every_change(q):
    async with q.client.ws_connect(q.url) as stream:
        await stream.send_json({"COMMAND": "LISTEN", "DATA": "/oscsynth/latent/1"})
        assert await q.hear(stream) == (P + "latent/1", pytest.approx(0.4))
        send(q.instrument, "latent/1", 0.75)
        assert await q.hear(stream) == (P + "latent/1", 0.75)
        await stream.send_json({"COMMAND": "LISTEN", "DATA": "/oscsynth/point"})
        assert await q.hear(stream) == (P + "point", "")


@with_query
async def test_who_ignores_hears_no_more(q):
    async with q.client.ws_connect(q.url) as stream:
        for name in ("latent/1", "gain"):
            await stream.send_json({"COMMAND": "LISTEN", "DATA": P + name})
            await q.hear(stream)
        await stream.send_json({"COMMAND": "IGNORE", "DATA": P + "latent/1"})
        await asyncio.sleep(0.05)
        send(q.instrument, "latent/1", 0.75)
        send(q.instrument, "gain", -3)
        assert await q.hear(stream) == (P + "gain", -3.0)


@with_query
async def test_what_is_no_command_is_passed_over(q):
    async with q.client.ws_connect(q.url) as stream:
        for text in ("", "[]", "{", '{"COMMAND": 1}', '{"COMMAND": "LISTEN", "DATA": 5}', '{"COMMAND": "LISTEN", "DATA": "/nothing"}', "[" * 60000):
            await stream.send_str(text)
        await stream.send_bytes(b"\0\1")
        await stream.send_json({"COMMAND": "LISTEN", "DATA": "/oscsynth/gain"})
        assert await q.hear(stream) == (P + "gain", 0.0)


@with_query
async def test_a_patch_switch_says_which_paths_come_and_go(q):
    async with q.client.ws_connect(q.url) as stream:
        await asyncio.sleep(0.05)
        send(q.instrument, "patch", "Choir")
        heard = [await q.hear(stream)]
        while heard[-1] != ("PATH_CHANGED", "/"):
            heard.append(await q.hear(stream))
        assert ("PATH_REMOVED", "/oscsynth/latent/bow") in heard
        assert ("PATH_REMOVED", "/oscsynth/point/tasto") in heard
        assert ("PATH_ADDED", "/oscsynth/latent/10") in heard
        assert ("PATH_REMOVED", "/oscsynth/latent/bow/text") not in heard


@with_query
async def test_names_are_told_again_after_a_patch_switch(q):
    async with q.client.ws_connect(q.url) as stream:
        await stream.send_json({"COMMAND": "LISTEN", "DATA": "/oscsynth/latent/1/name"})
        assert await q.hear(stream) == (P + "latent/1/name", "bow")
        send(q.instrument, "patch", "Choir")
        heard = await q.hear(stream)
        while heard[0] != P + "latent/1/name":
            heard = await q.hear(stream)
        assert heard[1] == ""


@with_query
async def test_a_listener_that_breaks_off_is_forgotten_without_a_word(q):
    errors = []
    asyncio.get_running_loop().set_exception_handler(lambda loop, context: errors.append(context))
    for _ in range(3):
        stream = await q.client.ws_connect(q.url)
        await stream.send_json({"COMMAND": "LISTEN", "DATA": "/oscsynth/gain"})
        await q.hear(stream)
        stream._response.connection.transport.abort()
        for gain in range(10):
            send(q.instrument, "gain", -gain)
            await asyncio.sleep(0.02)
    gc.collect()
    assert not errors
    assert not q.oscquery._clients


def test_who_reads_slowly_gets_the_newest_value_alone():
    instrument, _ = player()
    listener = Listener(Namespace(instrument), None)
    listener.command('{"COMMAND": "LISTEN", "DATA": "/oscsynth/gain"}')
    for gain in range(-50, 0):
        send(instrument, "gain", gain)
    assert [OscMessage(packet).params for packet in listener._news(False)] == [[-1.0]]
    assert listener._news(False) == []


def test_a_port_in_use_is_one_sentence():
    async def main():
        with socket.socket() as other:
            other.bind(("127.0.0.1", 0))
            other.listen()
            oscquery = OscQuery(player()[0], ("127.0.0.1", 57140))
            with pytest.raises(OscsynthError, match=r"port \d+ is in use.*everything else works"):
                await oscquery.open("127.0.0.1", other.getsockname()[1])

    asyncio.run(main())
