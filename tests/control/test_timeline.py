"""Bundles happen at their time; the test moves the clock."""

import heapq
import json
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from oscsynth.control.notes import from_notes, to_notes
from oscsynth.control.osc import Bundle, Message, parse
from oscsynth.control.punctuality import N_TAGS
from oscsynth.control.timeline import FARTHEST_SECONDS, HANDOVER_SECONDS, MAX_BUNDLES, Timeline
from oscsynth.parameters import MAX_CHANGES_AHEAD, N_SLOTS, PART_SLOTS
from oscsynth.schedule import NTP_TO_UNIX_SECONDS, WallClock

from .catalogue import player, send

P = "/oscsynth/"
PAN = N_SLOTS + PART_SLOTS["pan"].start
GATE = N_SLOTS + PART_SLOTS["gate"].start
TRAVEL = N_SLOTS + PART_SLOTS["travel"].start
LATENT = N_SLOTS + PART_SLOTS["latent"].start


class Timer:
    def __init__(self, call):
        self.call = call

    def cancel(self):
        self.call = lambda: None


class Session:
    """An instrument with its timeline, in a time of its own: ``now`` is the monotonic clock, ``wall`` how far the wall is ahead of it."""

    def __init__(self, instrument=None, kept=b"", now=1000.0):
        self.now, self.wall = now, 1_700_000_000.0
        self.instrument = instrument or player()[0]
        self.told, self.complaints, self.kept, self.timers = [], [], kept, []
        clock = WallClock(lambda: round((self.now + self.wall) * 1e9), lambda: round(self.now * 1e9))
        self.timeline = Timeline(self.instrument, self.later, self.told.extend, self.keep, self.complaints.append, clock, lambda: self.now)
        self.timeline.restore(kept)
        self.timeline.advance()

    def later(self, seconds, call):
        assert seconds >= 0
        timer = Timer(call)
        heapq.heappush(self.timers, (self.now + seconds, len(self.timers), id(timer), timer))
        return timer

    def keep(self, data):
        self.kept = data

    def until(self, now):
        """Let time go on, and call what is due."""
        while self.timers and self.timers[0][0] <= now:
            at, *_, timer = heapq.heappop(self.timers)
            self.now = max(self.now, at)
            timer.call()
        self.now = now

    def tag(self, seconds):
        return round((round(seconds * 1e6) + round((self.wall + NTP_TO_UNIX_SECONDS) * 1e6)) * 2**32 / 10**6)

    def bundle(self, seconds, *elements):
        """Make a bundle that is due then: of bundles, and of tuples of an address and its arguments."""
        return Bundle(self.tag(seconds), tuple(each if isinstance(each, Bundle) else Message(P + each[0], each[1:]) for each in elements))

    def at(self, seconds, *elements, sender="sender"):
        return [tuple(reply) for reply in self.timeline.perform(self.bundle(seconds, *elements), sender)]

    def get(self, name, part=1, index=0):
        return self.instrument.state.get(part, name, index)

    def shown(self, reached):
        """Return what an engine is shown that got so far: some values, and what lies ahead."""
        state = self.timeline.ahead.shown(self.now, lambda: reached)
        return state.values[PAN], state.values[TRAVEL], [change for change in triples(state.ahead) if change[1] in (PAN, TRAVEL, LATENT)]

    @property
    def ahead(self):
        return triples(self.instrument.state.ahead)


def triples(numbers):
    numbers = iter(numbers)
    return [(round(due, 6), int(at), value) for due, at, value in zip(numbers, numbers, numbers, strict=True)]


@pytest.fixture
def session():
    return Session()


def test_a_bundle_is_handed_over_shortly_before_and_in_force_at_its_time(session):
    assert session.at(1001, ("pan", 0.5), ("width", 1.0)) == []
    session.until(1001 - HANDOVER_SECONDS - 0.001)
    assert session.ahead == [] and len(session.timeline) == 1
    session.until(1001 - HANDOVER_SECONDS + 0.001)
    assert (1001, PAN, 0.5) in session.ahead and session.get("pan") == 0.25
    session.until(1000.9999)
    assert session.get("pan") == 0.25
    session.until(1001.001)
    assert (session.get("pan"), session.get("width")) == (0.5, 1.0) and session.ahead == [] and len(session.timeline) == 0


def test_now_means_now(session):
    for time_tag in (0, 1):
        assert session.timeline.perform(Bundle(time_tag, (Message(P + "pan", (time_tag / 2,)), Message(P + "pan"))))[0].arguments == (time_tag / 2,)
    assert len(session.timeline) == 0 and session.timeline.late == 0


def test_a_late_one_happens_at_once_and_is_answered(session):
    assert session.at(999.75, ("pan", 0.5), ("pan",)) == [(P + "pan", (0.5,)), (P + "late", (pytest.approx(0.25),))]
    assert session.at(999.9995, ("pan", 0.6)) == []  # the way through the network
    assert session.get("pan") == 0.6 and session.timeline.statistics() == {"late": 1, "ahead": 0, "bundles_refused": 0}


def test_more_than_a_minute_ahead_is_refused(session):
    (reply,) = session.at(1000 + FARTHEST_SECONDS + 5, ("pan", 0.5))
    assert reply[0] == P + "fail" and reply[1] == (P + "pan", "its time tag lies 65.0 s ahead: at most 60 s; /oscsynth/timetags 0 has them ignored")
    (reply,) = session.timeline.perform(Bundle(2**64 - 1, (Message(P + "pan", (0.5,)),)), "other")
    assert "hours ahead" in reply.arguments[1]
    assert session.at(1000 + FARTHEST_SECONDS - 0.001, ("pan", 0.5)) == []
    session.until(1000 + FARTHEST_SECONDS)
    assert session.get("pan") == 0.5


def test_overflow_is_answered_and_what_waits_stays(session):
    for n in range(MAX_BUNDLES):
        assert session.at(1005 + n / 1000, ("pan", 0.5)) == []
    (reply,) = session.at(1001, ("pan", 0.1))
    assert reply[0] == P + "fail" and "at most 4096 bundles" in reply[1][1]
    session.until(1005.001)
    assert session.get("pan") == 0.5 and session.timeline.dropped == 1


def test_overflow_by_size(session):
    replies = [session.at(1005, ("latents", *(0.5,) * 8000)) for _ in range(20)]
    assert replies[0] == [] and replies[-1][0][0] == P + "fail" and "1024 KiB" in replies[-1][0][1][1]


def test_answers_are_sent_when_it_happens_and_say_what_is_in_force_then(session):
    assert session.at(1000.05, ("pan", 0.5), ("pan",), ("nonsense",)) == []
    assert [tuple(reply) for reply in session.timeline.perform(Message(P + "pan"))] == [(P + "pan", (0.25,))]
    assert session.told == []
    session.until(1000.051)
    assert [(sender, reply.address) for sender, reply in session.told] == [("sender", P + "pan"), ("sender", P + "fail")]
    assert session.told[0][1].arguments == (0.5,)


def test_who_comes_between_is_heard_and_the_later_one_by_time_wins(session):
    session.at(1000.05, ("pan", 0.5), ("gain", -6))
    session.timeline.perform(Message(P + "pan", (0.9,)))
    session.timeline.perform(Message(P + "width", (1.5,)))
    assert (session.get("pan"), session.get("width")) == (0.9, 1.5)
    session.until(1000.051)
    assert (session.get("pan"), session.get("width"), session.get("gain")) == (0.5, 1.5, -6)
    session.timeline.perform(Message(P + "pan", (0.9,)))
    assert session.get("pan") == 0.9


def test_what_stands_already_is_set_again_at_its_time(session):
    session.at(1000.05, ("pan", 0.25))
    session.timeline.perform(Message(P + "pan", (0.9,)))
    session.until(1000.051)
    assert session.get("pan") == 0.25


def test_one_that_comes_later_and_is_due_earlier(session):
    session.at(1000.08, ("pan", 0.8))
    session.at(1000.04, ("pan", 0.4), ("gate", 0))
    assert [(due, value) for due, at, value in session.ahead if at == PAN] == [(1000.04, 0.4), (1000.08, 0.8)]
    session.until(1000.051)
    assert (session.get("pan"), session.get("gate")) == (0.4, 0)
    session.until(1000.09)
    assert session.get("pan") == 0.8


def test_the_same_time_is_in_the_order_of_coming(session):
    for value in (0.1, 0.2, 0.3):
        session.at(1001, ("pan", value))
    session.until(1002.001)
    assert session.get("pan") == 0.3


def test_each_bundle_knows_what_those_before_it_will_have_done(session):
    session.at(1000.02, ("patch", "Choir"))
    session.at(1000.05, ("patch/next",), ("gain", -6))  # after Choir comes Violin
    session.at(1000.085, ("gain", -9))
    session.at(1000.08, ("gain",))
    session.at(1000.06, ("gain",))
    violin = session.get("patch")
    session.until(1000.03)
    assert session.get("patch") != violin and session.get("latent") == 0.5
    session.until(1000.06)
    assert session.get("patch") == violin and session.get("latent") == 0.4
    session.until(1000.09)
    assert [reply.arguments for _, reply in session.told] == [(P + "patch", "Choir"), (P + "patch/next", "Violin"), (-6.0,), (-6.0,)]


def test_a_journey_is_handed_over_whole_and_ends_where_something_ordinary_follows(session):
    session.at(1000.02, ("point/seconds", 5.0), ("point", "tasto"))
    session.at(1000.05, ("pan", 0.5))
    travel = N_SLOTS + PART_SLOTS["travel"].start
    assert [(due, value) for due, at, value in session.ahead if at == travel] == [(1000.02, 5.0), (1000.05, 0.0)]
    session.until(1000.03)
    assert session.get("travel") == 5.0
    session.until(1000.06)
    assert session.get("travel") == 0.0 and session.get("latent") == 0.25


def test_a_part_comes_to_be_at_its_time(session):
    session.at(1000.05, ("part/2/patch", "Choir"), ("part/2/gate", 1))
    assert session.get("open", part=2) == 0
    session.until(1000.051)
    assert (session.get("open", part=2), session.get("gate", part=2)) == (1, 1)


def test_an_inner_bundle_happens_at_its_own_time_but_never_before_the_outer(session):
    later, earlier = session.bundle(1000.08, ("width", 1.5)), session.bundle(1000.02, ("gain", -6))
    session.at(1000.05, ("pan", 0.5), later, earlier)
    session.until(1000.03)
    assert session.get("gain") == 0
    session.until(1000.06)
    assert (session.get("pan"), session.get("gain"), session.get("width")) == (0.5, -6, 0.5)
    session.until(1000.09)
    assert session.get("width") == 1.5


def test_a_clock_that_is_set_moves_nothing_that_waits(session):
    session.at(1002, ("pan", 0.5))
    session.wall += 3600
    session.at(1001, ("gain", -6))
    session.until(1001.001)
    assert session.get("gain") == -6
    session.until(1001.999)
    assert session.get("pan") == 0.25
    session.until(1002.001)
    assert session.get("pan") == 0.5


def test_one_packet_may_not_hold_any_number_of_moments(session):
    (reply,) = session.at(1001, *(session.bundle(1001 + n / 10, ("pan", n / 100)) for n in range(50)))
    assert "16 moments, not 50" in reply[1][1] and len(session.timeline) == 0
    assert session.at(1001, *(session.bundle(1001, ("pan", n / 100)) for n in range(50))) == []


# ---- an engine that is late


def test_a_late_engine_still_has_it_before_it(session):
    session.at(1000.05, ("pan", 0.5))
    session.at(1000.08, ("pan", 0.8))
    session.until(1000.051)
    assert session.get("pan") == 0.5
    both = [(1000.05, PAN, 0.5), (1000.05, TRAVEL, 0.0), (1000.08, PAN, 0.8), (1000.08, TRAVEL, 0.0)]
    assert session.shown(1000.04) == (0.25, 0.0, both)
    assert session.shown(1000.06) == (0.5, 0.0, both[2:])
    assert session.shown(1000.04) == (0.5, 0.0, both[2:])  # it never goes back


def test_what_comes_at_once_comes_after_it_all_the_same(session):
    session.at(1000.05, ("pan", 0.5))
    session.until(1000.051)
    session.timeline.perform(Message(P + "pan", (0.9,)))
    session.timeline.perform(Message(P + "point/seconds", (5.0,)))
    session.timeline.perform(Message(P + "point", ("tasto",)))
    pan, travel, ahead = session.shown(1000.04)
    assert (pan, travel) == (0.25, 0.0) and ahead[:2] == [(1000.05, PAN, 0.5), (1000.05, TRAVEL, 0.0)]
    assert sorted(ahead[2:]) == sorted((1000.0501, at, value) for at, value in ((PAN, 0.9), (TRAVEL, 5.0), (LATENT, 0.25)))
    assert session.shown(1000.06) == (0.9, 5.0, [])


def test_an_engine_that_stands_still_is_not_waited_for_for_ever(session):
    session.at(1000.05, ("pan", 0.5))
    session.until(1000.6)
    assert session.shown(1000.04) == (0.5, 0.0, [])


# ---- senders whose clock is off


def off(session, seconds, n=N_TAGS, step=0.11):
    """Send bundles as a machine does whose clock is off; return what it is told."""
    replies = []
    for _ in range(n):
        session.until(session.now + step)
        replies += [reply for reply in session.at(session.now + seconds, ("pan", 0.5)) if reply[0] == P + "fail"]
    return replies


def test_who_is_steadily_behind_is_told_once_with_the_figure(session):
    assert off(session, -3.2, N_TAGS - 1) == []
    (told,) = off(session, -3.2, 1)
    assert told[1][0] == P + "timetags" and "3.2 s behind" in told[1][1] and "/oscsynth/timetags 0" in told[1][1]
    assert off(session, -3.2, 50) == [] and len(session.complaints) == 1


def test_who_is_steadily_ahead_is_told_once_with_the_figure(session):
    assert ["4.5 s ahead" in told[1][1] for told in off(session, 4.5, 50)] == [True]


def test_hours_ahead_are_told_beside_the_refusals(session):
    told = off(session, 7200.0)
    assert len(told) == N_TAGS + 1 and [told[1][0] for told in told].count(P + "timetags") == 1


@pytest.mark.parametrize("leads", [(0.2,), (-0.01,), (-3, 0.2), (2.0, 2.5, 3.0), (0.0, 0.5)])
def test_who_plays_is_left_alone(session, leads):
    for n in range(60):
        session.until(session.now + 0.1)
        assert all(reply[0] != P + "fail" for reply in session.at(session.now + leads[n % len(leads)], ("pan", 0.5)))


def test_time_tags_can_be_ignored_for_one_sender(session):
    ask = Message(P + "timetags")
    session.timeline.perform(Message(P + "timetags", (0,)), "phone")
    assert session.timeline.perform(ask, "phone")[0].arguments == (0,) and session.timeline.perform(ask, "other")[0].arguments == (1,)
    assert session.at(1050, ("pan", 0.5), sender="phone") == [] and session.get("pan") == 0.5
    assert session.at(900, ("pan", 0.6), sender="phone") == [] and session.get("pan") == 0.6
    session.at(1050, ("pan", 0.7), sender="other")
    assert session.get("pan") == 0.6
    session.timeline.perform(Message(P + "timetags", (1,)), "phone")
    session.at(1050, ("pan", 0.8), sender="phone")
    assert session.get("pan") == 0.6


def test_who_is_ignored_is_known_after_a_restart(session):
    session.timeline.perform(Message(P + "timetags", (0,)), ("192.0.2.1", 9000))
    other, _ = player(at_once=False)
    assert from_notes(other, json.dumps(json.loads(to_notes(session.instrument))))
    assert list(other.untimed) == [("192.0.2.1", 9000)]


# ---- panic


def test_panic_drops_what_lies_ahead(session):
    session.at(1000.05, ("gate", 1), ("pan", 0.5))
    session.at(1005, ("gate", 1))
    session.timeline.perform(Message(P + "panic"))
    assert session.ahead == [] and len(session.timeline) == 0
    session.at(1006, ("width", 1.5))
    session.until(1010)
    assert (session.get("gate"), session.get("pan"), session.get("width")) == (0, 0.25, 1.5)


def test_panic_of_a_part_drops_what_would_happen_there(session):
    send(session.instrument, "part/2/patch", "Choir")
    for seconds in (1000.05, 1005):
        session.at(seconds, ("gate", 1), ("part/2/gate", 1))
    session.timeline.perform(Message(P + "part/1/panic"))
    session.until(1010)
    assert (session.get("gate"), session.get("gate", part=2)) == (0, 1)


def test_panic_at_a_time_drops_what_comes_after_it(session):
    session.at(1001, ("panic",))
    session.at(1000.5, ("pan", 0.5))
    session.at(1001.05, ("gate", 1))
    session.until(1010)
    assert (session.get("gate"), session.get("pan")) == (0, 0.5)


# ---- restarts


def test_what_waits_survives_a_new_control(session):
    session.at(1000.05, ("pan", 0.5))  # handed over
    session.at(1005, ("gain", -6.5), ("nonsense",), sender=("192.0.2.1", 9000))
    session.at(1001, ("width", 1.5))  # overdue when the next one is there
    session.until(1000.02)
    assert session.kept
    instrument, _ = player()
    instrument.state.values[:] = session.instrument.state.values
    instrument.state.ahead = session.instrument.state.ahead
    later = Session(instrument, session.kept, now=1003)
    assert (later.get("pan"), later.get("width"), later.get("gain")) == (0.5, 1.5, 0)
    later.until(1005.001)
    assert later.get("gain") == -6.5 and [sender for sender, _ in later.told] == [("192.0.2.1", 9000)]


def test_what_was_handed_over_is_not_performed_again(session):
    session.at(1001, ("patch/next",))
    session.until(1000.5)
    kept = session.kept
    session.until(1000.905)  # killed before it was kept that the bundle has gone
    instrument, _ = player()
    instrument.state.values[:] = session.instrument.state.values
    instrument.state.ahead = session.instrument.state.ahead
    later = Session(instrument, kept, now=1000.93)
    assert len(later.timeline) == 1
    later.until(1001.5)
    session.until(1001.5)
    assert later.get("patch") == session.get("patch") == 2 and later.told == []


def test_nonsense_that_was_kept_is_left(session, caplog):
    assert len(Session(kept=b"\x80\x04nonsense").timeline) == 0
    assert "cannot be read" in caplog.text


def test_a_fault_inside_one_leaves_the_others(session, caplog):
    session.at(1000.03, ("morph", 0.5))
    session.at(1000.05, ("pan", 0.5))
    session.at(1000.5, ("morph", 0.5))
    memory, session.instrument.parts[1].memory = session.instrument.parts[1].memory, None
    session.until(1000.6)
    session.instrument.parts[1].memory = memory
    assert session.get("pan") == 0.5 and len(session.complaints) == 1 and session.instrument.written is None


# ---- bounds


def test_no_bundle_is_handed_over_by_halves(session):
    n_bundles = MAX_CHANGES_AHEAD // 65 + 10
    for n in range(n_bundles):
        session.at(1000.01 + n / 2000, ("latents", *(n / 200,) * 64))
    assert 0 < len(session.ahead) <= MAX_CHANGES_AHEAD
    counts = [sum(due == round(1000.01 + n / 2000, 6) for due, *_ in session.ahead) for n in range(n_bundles)]
    assert set(counts) == {0, 65}  # 64 latents and the end of any journey
    session.until(1000.1)
    assert session.get("latent", index=63) == (n_bundles - 1) / 200


def test_a_dense_stream_happens_in_order_and_what_comes_between_in_time(session):
    for n in range(1000):
        session.at(1000.05 + n / 20000, ("pan", n / 1000))
    session.at(1000.02, ("gain", -6))
    session.until(1000.021)
    assert session.get("gain") == -6 and len(session.ahead) <= MAX_CHANGES_AHEAD
    for n in range(0, 1000, 50):
        session.until(1000.05 + n / 20000 + 0.00001)
        assert session.get("pan") == n / 1000
    session.until(1001)
    assert session.get("pan") == 0.999 and not len(session.timeline)


@settings(max_examples=60, deadline=None)
@given(st.lists(st.tuples(st.integers(-50, 400), st.sampled_from(["pan", "width", "gate", "latent/1"]), st.integers(0, 4)), max_size=25))
def test_whatever_comes_ends_as_if_it_had_come_at_its_time(events):
    """Bundles sent every 10 ms, due so many ms later: the end is that of all of them played in the order of their times."""
    session, plain = Session(), player()[0]
    order = []
    for n, (lead, address, value) in enumerate(events):
        sent = 1000 + n / 100
        session.until(sent + 0.0002)
        session.at(sent + lead / 1000, (address, value / 4))
        order.append((round(sent + max(lead, 0) / 1000, 3), n, address, value / 4))
    session.until(1010)
    for _, _, address, value in sorted(order):
        send(plain, address, value)
    assert session.instrument.state.values.tobytes() == plain.state.values.tobytes() and not session.ahead and not len(session.timeline)


def test_recorded_bundles_of_sclang_come_with_time_tags_that_make_sense():
    recorded = [each for path in sorted(Path(__file__).parent.glob("data/sc_*.json")) for each in json.loads(path.read_text())["packets"]]
    packets = [(each["t"], parse(data)) for each in recorded if (data := bytes.fromhex(each["hex"])).startswith(b"#bundle")]
    leads = [bundle.time_tag / 2**32 - NTP_TO_UNIX_SECONDS - arrived for arrived, bundle in packets if bundle.time_tag > 1]
    assert leads and all(-1 < lead < FARTHEST_SECONDS for lead in leads)
    session = Session()
    session.wall = packets[0][0] - session.now
    for arrived, bundle in packets:
        session.until(arrived - session.wall)
        session.timeline.perform(bundle, "sclang")
    session.until(session.now + 100)
    assert len(session.timeline) == 0
