"""OSCQuery as a real client sees it, over HTTP and WebSocket."""

import asyncio
import gc
import json
import re
import socket
from contextlib import asynccontextmanager

import aiohttp
import pytest
from pythonosc.osc_message import OscMessage

from oscsynth import lan
from oscsynth.control import page
from oscsynth.control.encoding import encode
from oscsynth.control.guard import Guard
from oscsynth.control.listener import Listener
from oscsynth.control.namespace import Namespace
from oscsynth.control.oscquery import OscQuery
from oscsynth.control.row import Reply
from oscsynth.control.server import Server
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
async def query(draw=None):
    instrument, _ = player()
    server = Server(instrument, lambda state: None, lambda sentence: None)
    oscquery = OscQuery(instrument, ("127.0.0.1", 57140), None, server.handle, server.sockets.leave, draw)
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
    others = "http://evil.example", "https://evil.example:57141", "null", "http://127.0.0.1@evil.example", "file://", "http://192.0.2.7:57141"
    for origin in others:
        assert (await q.get("/", Origin=origin))[0] == 403, origin
        with pytest.raises(aiohttp.WSServerHandshakeError):
            await q.client.ws_connect(q.url, headers={"Origin": origin})
    for origin, host in (
        ("http://localhost:8000", "127.0.0.1"),
        ("http://127.0.0.1:8000", "localhost"),
        ("http://192.0.2.7:57141", "192.0.2.7:57141"),
    ):
        async with q.client.get(q.url, headers={"Origin": origin, "Host": host}) as response:
            assert response.headers["Access-Control-Allow-Origin"] == origin


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
async def test_osc_packets_are_played_and_answered_on_the_same_stream(q):
    async with q.client.ws_connect(q.url) as stream:
        await stream.send_bytes(encode(Reply(P + "gain", (-7.0,))))
        await stream.send_bytes(encode(Reply(P + "gain", ())))
        assert await q.hear(stream) == (P + "gain", -7.0)
        await stream.send_bytes(encode(Reply(P + "gian", (1.0,))))
        address, about, sentence = await q.hear(stream)
        assert (address, about) == (P + "fail", P + "gian") and "nearest is /oscsynth/gain" in sentence
        await stream.send_bytes(encode(Reply(P + "sync", (7,))))
        assert await q.hear(stream) == (P + "synced", 7)


@with_query
async def test_who_sets_a_value_hears_of_it_again_when_it_is_set_back_at_once(q):
    async with q.client.ws_connect(q.url) as stream:
        await stream.send_json({"COMMAND": "LISTEN", "DATA": P + "gain"})
        assert await q.hear(stream) == (P + "gain", 0.0)
        await stream.send_bytes(encode(Reply(P + "gain", (-7.0,))))
        await stream.send_bytes(encode(Reply(P + "gain", (0.0,))))
        assert await q.hear(stream) == (P + "gain", 0.0)


@with_query
async def test_a_stream_may_subscribe_and_is_forgotten_when_it_is_gone(q):
    async with q.client.ws_connect(q.url) as stream:
        await stream.send_bytes(encode(Reply(P + "notify", (1,))))
        while not len(q.instrument.clients):
            await asyncio.sleep(0.01)
    while len(q.instrument.clients):
        await asyncio.sleep(0.01)


def test_packets_of_the_network_have_their_share_of_time_alone():
    class Told:
        admitted, charged = [], []
        admits = lambda self, host: len(self.admitted) < 2 and not self.admitted.append(host)  # noqa: E731
        charge = lambda self, host, seconds: self.charged.append(host)  # noqa: E731

    instrument, _ = player()
    received, guard = [], Told()
    listener = Listener(Namespace(instrument), None, "192.0.2.7")
    for _ in range(3):
        listener.packet(b"/x\0\0", lambda packet, sender: received.append(sender), guard)
    assert received == [listener, listener] and guard.charged == ["192.0.2.7"] * 2


@with_query
async def test_a_browser_is_given_the_page_and_an_app_the_tree(q):
    async with q.client.get(q.url, headers={"Accept": "text/html,*/*"}) as response:
        text = await response.text()
        assert response.content_type == "text/html" and "default-src 'self'" in response.headers["Content-Security-Policy"]
    assert (await q.get("/"))[1]["CONTENTS"]
    assert (await q.get("/?VALUE", Accept="text/html"))[0] == 204
    named = re.findall(r'(?:src|href)="(/page/[^"]+)"', text)
    assert len(named) == 4
    for path in named:
        async with q.client.get(q.url + path) as response:
            assert response.status == 200 and response.content_type == page.files()[path].kind
            tag = response.headers["ETag"]
        async with q.client.get(q.url + path, headers={"If-None-Match": tag}) as response:
            assert response.status == 304
    assert (await q.get("/page/../page.py"))[0] == 404
    assert (await q.get("/page/nothing.js"))[0] == 404


@with_query
async def test_the_modules_of_the_page_find_each_other(q):
    files = page.files()
    for path, file in files.items():
        for other in re.findall(r'from "\./([^"]+)"', file.body.decode()) if path.endswith(".js") else ():
            assert page.PLACE + other in files, f"{path} asks for {other}"


def test_a_map_has_names_and_points_even_where_nothing_is_drawn():
    async def main():
        planes = []

        async def draw(plane):
            planes.append(plane)
            return {"size": 2}

        async with query(draw) as q:
            status, found = await q.get("/page/map?part=1")
            assert status == 200
            assert (found.pop("neurons"), found.pop("steps"), found.pop("ring")) == ([1, 0], 16, [])
            assert found == {"axes": ["air", "bow"], "points": {"tasto": [0.75, 0.25], "ponticello": [0.0, 1.0], "soft": [0.0, 0.0]}, "size": 2}
            assert planes[0].neurons == (1, 0) and planes[0].rest == (0.4, 0.6, 0.5)
        async with query() as q:
            assert set((await q.get("/page/map?part=1"))[1]) == {"axes", "points", "neurons", "steps", "ring"}
            for number in ("2", "x", "-1", "99999"):
                assert (await q.get(f"/page/map?part={number}"))[0] == 503

    asyncio.run(main())


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
