"""Subscribers: who is told what and when. A hand-moved clock, and a list of what was sent."""

import dataclasses

import pytest

from oscsynth.control import clients as c
from oscsynth.control.clients import Clients
from oscsynth.control.notes import from_notes, to_notes
from oscsynth.control.osc import Message, messages, parse

from .catalogue import METADATA, VIOLIN, player

P = "/oscsynth/"
PHONE, LAPTOP, SCRIPT = ("192.0.2.1", 50000), ("192.0.2.2", 50000), ("192.0.2.3", 50000)
OWN = ("192.0.2.9", 57140)


class Stage:
    """An instrument, its clients, a clock, and what each of them was told."""

    def __init__(self):
        self.now = 100.0
        self.instrument, _ = player()
        self.told = {}
        self.packets = 0
        self.clients = self.instrument.clients = Clients(self.instrument, self._keep, lambda where: where == OWN, lambda: self.now)

    def _keep(self, packet, where):
        self.packets += 1
        self.told.setdefault(where, []).extend((message.address.removeprefix(P), *message.arguments) for message in messages(parse(packet)))

    def send(self, sender, address, *arguments):
        self.clients.heard(sender)
        return [tuple(reply) for reply in self.instrument.perform(Message(P + address, arguments), sender)]

    def after(self, seconds):
        """Let time pass, and return what each client was told meanwhile."""
        self.told = {}
        until = self.now + seconds
        while True:
            wait = self.clients.tick()
            if wait is None or self.now + wait > until:
                break
            self.now += max(wait, c.TICK_SECONDS)
        self.now = until
        return self.told

    def subscribe(self, *senders):
        for sender in senders:
            assert self.send(sender, "notify", 1) == []
        self.after(1)
        return self


@pytest.fixture
def stage():
    return Stage().subscribe(PHONE, LAPTOP)


def values(told, *addresses):
    return [message for message in told if message[0] in addresses]


def test_subscribing_brings_everything_in_few_packets():
    stage = Stage()
    stage.send(PHONE, "notify", 1)
    stage.clients.tick()
    told = dict((address, tuple(arguments)) for address, *arguments in stage.told[PHONE])
    assert told["latent/1"] == (pytest.approx(0.4),) and told["gain/text"] == ("0.0 dB",) and told["patch"] == ("Violin",)
    assert told["latent/1/name"] == ("bow",) and told["patches/3/name"] == ("Violin",) and told["patch/select/3"] == (1,)
    assert (told["chroma/C"], told["chroma/A"]) == ((0,), (1,))
    assert not {"latent/bow", "part/1/latent/1", "status", "addresses", "notify", "sync"} & told.keys()
    assert len(told) == len(stage.told[PHONE]) > 100 and stage.packets < 10


def test_a_change_goes_to_all_but_the_one_who_moves_it_and_then_to_everybody(stage):
    stage.send(PHONE, "latent/1", 0.5)
    told = stage.after(0.1)
    assert values(told[LAPTOP], "latent/1") == [("latent/1", 0.5)]
    assert {message[0] for message in told[PHONE]} == {"latent/1/text", "latents", "xy"}
    told = stage.after(0.3)
    assert values(told[PHONE], "latent/1", "latent/1/normalized") == [("latent/1", 0.5), ("latent/1/normalized", 0.5)]
    assert values(told[LAPTOP], "latent/1") == [("latent/1", 0.5)]
    assert stage.after(1) == {}


def test_who_goes_on_moving_hears_nothing_until_the_last_touch(stage):
    for n in range(30):
        stage.send(PHONE, "gain/normalized", 1.5 if n else 0.5)  # against the end of its travel
        told = stage.after(0.05)
        assert not values(told.get(PHONE, ()), "gain", "gain/normalized")
    assert values(stage.after(0.4)[PHONE], "gain") == [("gain", 12.0)]


def test_an_address_is_said_at_most_thirty_times_a_second_and_the_latest_value_last(stage):
    heard = []
    for n in range(1000):
        stage.send(SCRIPT, "pan", n / 1000)
        if n % 33 == 32:  # a tick has passed
            stage.now += c.TICK_SECONDS
            stage.told = {}
            stage.clients.tick()
            heard += values(stage.told[PHONE], "pan")
    assert len(heard) == 30 and heard[-1][1] == pytest.approx(0.989)


def test_setting_the_value_that_stands_emits_nothing(stage):
    stage.send(PHONE, "latent/1", 0.4)
    stage.send(PHONE, "gate", 1)
    assert stage.after(2) == {}


def test_a_name_is_spoken_to_who_has_used_it(stage):
    stage.send(PHONE, "latent/bow")
    stage.send(SCRIPT, "latent/1", 0.9)
    told = stage.after(0.1)
    assert len(values(told[PHONE], "latent/1", "latent/bow")) == 2
    assert len(values(told[LAPTOP], "latent/1", "latent/bow")) == 1


def test_a_button_lights_up_for_everybody_at_once(stage):
    stage.send(PHONE, "chroma/C", 1.0)
    told = stage.after(0.1)
    for client in (PHONE, LAPTOP):
        assert values(told[client], "chroma/C", "chroma/A") == [("chroma/C", 1), ("chroma/A", 0)]


def test_a_patch_switch_brings_everything(stage):
    stage.send(PHONE, "patch", "Choir")
    told = stage.after(0.1)
    assert len(told[LAPTOP]) > 100 and values(told[LAPTOP], "patch", "latent/10") == [("latent/10", 0.5), ("patch", "Choir")]
    assert len(told[PHONE]) > 100


def test_parts_that_come_and_go(stage):
    stage.send(SCRIPT, "part/2/patch", "Violin")
    assert values(stage.after(0.1)[PHONE], "part/2/patch") == [("part/2/patch", "Violin")]
    stage.send(SCRIPT, "part/2/latent/1", 0.5)
    assert values(stage.after(0.1)[PHONE], "part/2/latent/1") == [("part/2/latent/1", 0.5)]
    stage.send(SCRIPT, "part/2/close")
    assert not [address for address, *_ in stage.after(6)[PHONE] if address.startswith("part/2")]


def test_a_saved_patch_is_told_though_no_message_came(stage):
    import dataclasses

    stage.instrument.repertoire.offer(dataclasses.replace(VIOLIN, pan=-0.5), METADATA["Violin"])
    stage.instrument.repertoire.loaded(stage.instrument.shelf.next_number - 1)
    assert ("pan", -0.5) in stage.after(0.1)[PHONE]


def test_a_point_moves_the_faders_of_everybody(stage):
    stage.send(PHONE, "point/ponticello")
    assert values(stage.after(0.1)[PHONE], "latent/1", "point") == [("latent/1", 1.0), ("point", "ponticello")]


def test_what_is_held_is_told_though_whoever_held_it_is_gone(stage):
    part, cable = stage.instrument.parts[1], object()
    part.version.patch = dataclasses.replace(part.version.patch, mode="notes", voices=4)
    stage.send(cable, "note/on", 60, 0.8)
    stage.send(cable, "note/on", 67.5, 0.8)
    assert values(stage.after(0.1)[PHONE], "note/held") == [("note/held", 60.0, 67.5)]
    stage.instrument.voices.leave(cable)
    assert values(stage.after(0.1)[PHONE], "note/held") == [("note/held",)]


def test_a_sweep_repairs_every_five_seconds(stage):
    told = stage.after(20)
    assert [len(values(told[client], "latent/1")) for client in (PHONE, LAPTOP)] == [4, 4]


def test_a_lease_ends_feedback_alone_and_any_packet_renews_it(stage):
    for _ in range(5):
        stage.after(50)
        stage.send(PHONE, "gain")
    assert len(stage.clients) == 1  # the laptop said nothing
    assert stage.after(61).keys() == {PHONE} and len(stage.clients) == 0
    assert stage.after(10) == {} and stage.clients.tick() is None
    assert stage.instrument.state.get(1, "gate") == 1 and stage.instrument.watch is None


def test_notify_0_ends_it(stage):
    stage.send(PHONE, "notify", 0)
    stage.send(SCRIPT, "latent/1", 0.9)
    assert stage.after(6).keys() == {LAPTOP}
    assert stage.send(LAPTOP, "notify") == [(P + "notify", (1,))] and stage.send(PHONE, "notify") == [(P + "notify", (0,))]


def test_a_client_is_its_address_and_feedback_port():
    stage = Stage()
    for port in (1111, 2222):  # it comes back from another port
        stage.send(("192.0.2.1", port), "notify", 1, 9000)
        stage.after(1)
    assert len(stage.clients) == 1 and stage.clients.where(("192.0.2.1", 2222)) == ("192.0.2.1", 9000)
    stage.send(("192.0.2.1", 2222), "latent/1", 0.9)
    assert not values(stage.after(0.1)[("192.0.2.1", 9000)], "latent/1")
    stage.send(("192.0.2.1", 2222), "notify", 1, 9001)
    assert len(stage.clients) == 2 and stage.clients.where(("192.0.2.1", 2222)) == ("192.0.2.1", 9001)


def test_who_is_told_for_good_needs_no_lease_and_may_send_from_any_port():
    stage = Stage()
    stage.clients.stay(("192.0.2.1", 9000))
    stage.after(300)
    stage.send(("192.0.2.1", 5555), "latent/1", 0.9)
    told = stage.after(0.1)[("192.0.2.1", 9000)]
    assert told and not values(told, "latent/1")
    assert len(stage.clients) == 1


def test_what_cannot_be_subscribed():
    stage = Stage()
    ((address, arguments),) = stage.send(("192.0.2.9", 1111), "notify", 1, 57140)
    assert address == P + "fail" and "oscsynth itself listens" in arguments[1]
    assert "a port from 1 to 65535, not 0" in stage.send(PHONE, "notify", 1, 0)[0][1][1]
    for port in range(1, 30):
        replies = stage.send(PHONE, "notify", 1, port)
    assert len(stage.clients) == c.MAX_CLIENTS_OF_A_HOST and "no room for another" in replies[0][1][1]


def test_who_subscribes_too_often_is_refused():
    instrument, _ = player()
    instrument.clients = Clients(instrument, lambda packet, where: None, lambda where: False, lambda: 0.0, lambda host: host != PHONE[0])
    assert "too often" in instrument.perform(Message(P + "notify", (1,)), PHONE)[0].arguments[1]
    assert instrument.perform(Message(P + "notify", (1,)), LAPTOP) == [] and len(instrument.clients) == 1


def test_a_pattern_subscribes_nobody():
    stage = Stage()
    stage.send(PHONE, "*", 1)
    stage.send(PHONE, "//notify", 1)
    assert len(stage.clients) == 0


def test_sync():
    stage = Stage()
    assert stage.send(PHONE, "sync", 7) == [(P + "synced", (7,))]


def test_two_that_set_each_other_come_to_rest(stage):
    """A client that sends back whatever it is told makes no loop."""
    stage.send(SCRIPT, "latent/1", 0.9)
    count = 0
    for _ in range(100):
        stage.now += c.TICK_SECONDS
        stage.told = {}
        stage.clients.tick()
        for address, *arguments in stage.told.get(PHONE, ()):
            count += 1
            if address.startswith("latent/1"):
                stage.send(PHONE, address, *arguments)
    assert count < 30


def test_an_unplugged_control_leaves_its_subscribers_to_the_next():
    stage, next_one = Stage().subscribe(PHONE), Stage()
    stage.send(PHONE, "latent/bow")
    stage.clients.stay(LAPTOP)  # the next one is told of it by the command line
    assert from_notes(next_one.instrument, to_notes(stage.instrument))
    next_one.clients.restore(next_one.instrument.kept_clients)
    told = next_one.after(1)
    assert told.keys() == {PHONE} and len(values(told[PHONE], "latent/1", "latent/bow")) == 2
    next_one.after(70)
    assert len(next_one.clients) == 0
