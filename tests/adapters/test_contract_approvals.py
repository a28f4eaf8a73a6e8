"""The contract of `ApprovalStore`, kept by SQLite, by PostgreSQL and by the fake."""

import asyncio

import pytest
from msgspec.structs import replace

from agen_authz.core.approval.request import KeptCall, Progress, Vote
from agen_authz.core.errors import Unavailable
from agen_authz.core.model import Issuer, Owner, Subject
from agen_authz.core.reason import Reason
from agen_authz.ports.approval import PageEnd, Query, Viewer
from tests.adapters.approval_rig import KEPT, approved, asked, binding, message, new_rig, request
from tests.adapters.database import KINDS
from tests.builders import NOW

ENDED = (
    Progress.REJECTED,
    Progress.TIMED_OUT,
    Progress.USED,
    Progress.LAPSED,
    Progress.CANCELLED,
)
RACERS = 8


@pytest.fixture(params=KINDS)
async def rig(request, tmp_path):
    async with new_rig(request.param, request, tmp_path) as made:
        yield made


def by_id(requests):
    return sorted(requests, key=lambda each: each.id)


def end(made, status=Progress.REJECTED):
    return replace(made, status=status, version=made.version + 1)


# ---- opening and finding -------------------------------------------------------------------------------------------


async def test_request_is_found_as_it_was_kept(rig):
    votes = (
        Vote(
            0, Owner(Issuer("https://there.example"), Subject("b\u00f6b")), "bob@acme.example", True, "ok\n\u2713", NOW
        ),
    )
    made = request(votes=votes, step=1, remind_at=NOW + 60, binding=binding("\u00fc'; --", tenant="acm\u00e9"))
    assert await rig.keep(made) == (made,)
    assert (await rig.approvals.get(made.id), await rig.approvals.find((made.key,))) == (made, (made,))


async def test_nothing_is_found_of_what_was_never_asked(rig):
    await rig.keep(request())
    other = request("other")
    found = (await rig.approvals.get(other.id), await rig.approvals.find((other.key,)), await rig.approvals.find(()))
    assert (*found, await rig.approvals.read_kept(other.id)) == (None, (), (), None)


@pytest.mark.parametrize(
    "odd", ["", "a\x00b", "\ud800", "'; --", "x" * 10_000], ids=["empty", "nul", "half", "sql", "long"]
)
async def test_anything_may_be_asked_for(rig, odd):
    await rig.keep(request())
    read = (await rig.approvals.get(odd), await rig.approvals.read_kept(odd))
    listed = [await rig.approvals.list(each) for each in (Query(tenant=odd), Query(server=odd), Query(flow=odd))]
    assert (read, listed) == ((None, None), [()] * 3)


async def test_of_each_binding_the_newest_request_is_found_whatever_its_status(rig):
    first, other = request(), request("other")
    await rig.keep(first, other)
    await rig.approvals.change(first, end(first))
    assert by_id(await rig.approvals.find((first.key, other.key))) == [end(first), other]
    second = request(at=NOW + 1)
    await rig.keep(second)
    assert by_id(await rig.approvals.find((first.key, other.key))) == by_id([other, second])


@pytest.mark.parametrize("live", [request("live"), approved("live")], ids=["open", "approved"])
async def test_asking_again_while_a_request_is_live_returns_that_one_and_writes_nothing(rig, live):
    await rig.keep(live)
    again = request("live", at=NOW + 1)
    assert await rig.approvals.open([asked(again, message(again))], 1, NOW + 1) == (live,)
    assert (await rig.approvals.get(again.id), await rig.outbox.take(NOW + 9, 60, 10)) == (None, ())
    assert await rig.approvals.list(Query()) == (live,)


@pytest.mark.parametrize("status", ENDED)
async def test_asking_again_after_the_end_makes_a_new_request(rig, status):
    first, second = request(), request(at=NOW + 1)
    await rig.keep(first)
    await rig.approvals.change(first, end(first, status))
    assert await rig.keep(second) == (second,)
    assert await rig.approvals.get(first.id) == end(first, status)


async def test_several_requests_are_returned_in_the_order_that_they_were_asked_in(rig):
    live = request("b")
    await rig.keep(live)
    first, third = request("c"), request("a")
    assert await rig.keep(first, request("b"), third) == (first, live, third)


async def test_of_requests_that_are_too_many_none_is_kept(rig):
    assert await rig.keep(request("a"), max_open=2) is not None
    two = [asked(each, message(each)) for each in (request("b"), request("c"))]
    assert await rig.approvals.open(two, 2, NOW) is None
    assert (await rig.approvals.get(two[0].request.id), await rig.outbox.take(NOW, 60, 10)) == (None, ())
    assert await rig.keep(request("b"), max_open=2) is not None
    assert await rig.keep(request("c"), max_open=2) is None


async def test_only_open_requests_of_the_same_person_count(rig):
    ended, granted = request("a"), approved("b")
    await rig.keep(ended, granted, request("a", by="bob"))
    await rig.keep(request("a", binding=binding(issuer=Issuer("https://there.example"))))
    await rig.approvals.change(ended, end(ended))
    assert await rig.keep(request("c"), max_open=1) is not None
    assert await rig.keep(request("d"), max_open=1) is None


async def test_requests_that_were_made_within_the_last_hour_are_bounded_too_whatever_became_of_them(rig):
    for at in range(3 * 2):
        made = request(str(at), at=NOW - 3599.0)
        assert await rig.keep(made, max_open=2) == (made,)
        await rig.approvals.change(made, end(made))
    assert await rig.keep(request("more"), max_open=2) is None
    assert await rig.keep(request("more", by="bob"), max_open=2) is not None
    later = request("more", at=NOW + 1.0)
    assert await rig.approvals.open([asked(later)], 2, NOW + 1.0) == (later,)


async def test_live_request_is_returned_even_where_no_more_may_be_open(rig):
    live = request()
    await rig.keep(live)
    assert await rig.keep(request(), max_open=0) == (live,)


async def test_of_many_who_ask_for_the_same_at_once_one_request_is_kept_and_all_get_it(rig):
    made = [request() for _ in range(RACERS)]
    opened = await asyncio.gather(*(rig.approvals.open([asked(each, message(each))], 1, NOW) for each in made))
    (kept,) = set(opened)
    assert (await rig.approvals.list(Query()), len(await rig.outbox.take(NOW, 60, 100))) == (kept, 1)


async def test_many_who_ask_for_different_calls_at_once_stay_within_the_bound(rig):
    opened = await asyncio.gather(*(rig.keep(request(str(at)), max_open=3) for at in range(RACERS)))
    assert (sum(each is not None for each in opened), len(await rig.approvals.list(Query()))) == (3, 3)


async def test_requests_of_several_bindings_that_are_asked_for_at_once_in_any_order_are_kept_once(rig):
    calls = ["a", "b", "c", "d"]
    orders = [calls, calls[::-1], ["c", "a", "d", "b"]] * 2
    opened = await asyncio.gather(*(rig.keep(*(request(each) for each in order)) for order in orders))
    kept = {tuple(by_id(each or ())) for each in opened}
    assert kept == {tuple(by_id(await rig.approvals.list(Query())))}


# ---- changes and grants --------------------------------------------------------------------------------------------


async def test_change_is_kept_with_its_messages(rig):
    made = request()
    await rig.keep(made)
    after = replace(made, step=1, remind_at=NOW + 5, version=1)
    tells = message(after, to="bob@acme.example", at=NOW + 1)
    assert await rig.approvals.change(made, after, (tells,))
    assert await rig.approvals.get(made.id) == after
    assert await rig.outbox.take(NOW + 1, 60, 10) == (replace(tells, attempts=1),)


async def test_change_of_what_has_changed_meanwhile_is_refused_whole(rig):
    made = request()
    await rig.keep(made)
    assert await rig.approvals.change(made, end(made))
    late = replace(made, step=1, version=1)
    assert not await rig.approvals.change(made, late, (message(late),))
    assert not await rig.approvals.change(request(), end(made))
    assert (await rig.approvals.get(made.id), await rig.outbox.take(NOW, 60, 10)) == (end(made), ())


async def test_of_many_changes_at_once_one_is_kept(rig):
    made = request()
    await rig.keep(made)
    changes = [replace(made, step=at, version=1) for at in range(RACERS)]
    written = await asyncio.gather(*(rig.approvals.change(made, each, (message(each),)) for each in changes))
    (kept,) = [each for each, is_written in zip(changes, written, strict=True) if is_written]
    assert (await rig.approvals.get(made.id), len(await rig.outbox.take(NOW, 60, 100))) == (kept, 1)


async def test_grant_is_used_once_and_only_once(rig):
    made = approved()
    await rig.keep(made)
    tells = message(made)
    answers = [await rig.approvals.consume([made.id], NOW + at, (tells,) if at == 1 else ()) for at in (1, 2)]
    used = replace(made, status=Progress.USED, used_at=NOW + 1, version=1)
    assert (answers, await rig.approvals.get(made.id)) == ([True, False], used)
    assert [each.id for each in await rig.outbox.take(NOW + 9, 60, 10)] == [tells.id]
    assert await rig.approvals.find((made.key,)) == (used,)


async def test_of_many_who_use_a_grant_at_once_one_does(rig):
    made = approved()
    await rig.keep(made)
    answers = await asyncio.gather(*(rig.approvals.consume([made.id], NOW, (message(made),)) for _ in range(RACERS)))
    assert (sorted(answers), len(await rig.outbox.take(NOW, 60, 100))) == ([False] * (RACERS - 1) + [True], 1)


@pytest.mark.parametrize("status", [Progress.OPEN, *ENDED])
async def test_only_what_is_approved_is_a_grant(rig, status):
    made = approved()
    await rig.keep(made)
    await rig.approvals.change(made, end(made, status))
    assert not await rig.approvals.consume([made.id], NOW)
    assert await rig.approvals.get(made.id) == end(made, status)


async def test_grant_is_good_until_its_end(rig):
    made = approved()
    await rig.keep(made)
    assert not await rig.approvals.consume([made.id], NOW + 900.0)
    assert await rig.approvals.consume([made.id], NOW + 899.9)
    endless = approved("endless", grant_until=None)
    await rig.keep(endless)
    assert not await rig.approvals.consume([endless.id], NOW)


@pytest.mark.parametrize("missing", [request("missing"), approved("missing")], ids=["open", "unknown"])
async def test_of_several_grants_all_are_used_or_none(rig, missing):
    grants = [approved("a"), approved("b")]
    kept = grants if missing.status is Progress.APPROVED else [*grants, missing]
    await rig.keep(*kept)
    ids = [grants[0].id, missing.id, grants[1].id]
    assert not await rig.approvals.consume(ids, NOW, (message(missing),))
    assert (by_id(await rig.approvals.list(Query())), await rig.outbox.take(NOW, 60, 10)) == (by_id(kept), ())
    assert await rig.approvals.consume([each.id for each in grants], NOW)
    assert {(await rig.approvals.get(each.id)).status for each in grants} == {Progress.USED}


async def test_of_many_who_use_the_same_grants_at_once_in_any_order_one_does(rig):
    grants = [approved(str(at)) for at in range(4)]
    await rig.keep(*grants)
    orders = [grants, grants[::-1], [grants[2], grants[0], grants[3], grants[1]]] * 2
    answers = await asyncio.gather(*(rig.approvals.consume([each.id for each in order], NOW) for order in orders))
    assert sorted(answers) == [False] * 5 + [True]


async def test_used_grant_can_be_changed_no_more_by_who_has_seen_it_before(rig):
    made = approved()
    await rig.keep(made)
    await rig.approvals.consume([made.id], NOW)
    assert not await rig.approvals.change(made, end(made, Progress.CANCELLED))


# ---- lists, what is due, what is kept ------------------------------------------------------------------------------


async def test_requests_are_listed_by_what_is_asked_for(rig):
    made = [request(str(at), at=NOW + at) for at in range(3)]
    other = request("x", by="bob", at=NOW + 9, flow="ops")
    elsewhere = request("y", at=NOW + 10, binding=binding(server="crm", tenant="umbrella"))
    for each in (*made, other, elsewhere):
        await rig.keep(each)
    rejected = end(made[1])
    await rig.approvals.change(made[1], rejected)
    everything = (elsewhere, other, made[2], rejected, made[0])
    asks = {
        Query(): everything,
        Query(statuses=frozenset({Progress.REJECTED, Progress.USED})): (rejected,),
        Query(flow="ops"): (other,),
        Query(server="crm"): (elsewhere,),
        Query(tenant="umbrella"): (elsewhere,),
        Query(owner=other.requester): (other,),
        Query(limit=2): everything[:2],
        Query(after=PageEnd(NOW + 9, other.id), limit=2): everything[2:4],
        Query(viewer=Viewer("umbrella", other.requester)): everything[:2],
        Query(viewer=Viewer("\x00", Owner(other.requester.issuer, Subject("\x00")))): (),
        Query(ends_first=True, limit=3): everything[:1:-1],
        Query(ends_first=True, after=PageEnd(made[2].ends_at, made[2].id)): (other, elsewhere),
        Query(statuses=frozenset({Progress.OPEN}), flow="finance", server="pay", tenant="acme"): (
            made[2],
            made[0],
        ),
        Query(flow=""): (),
    }
    assert {query: await rig.approvals.list(query) for query in asks} == asks


@pytest.mark.parametrize("ends_first", [False, True])
async def test_pages_pass_over_nothing_that_was_made_at_the_same_moment(rig, ends_first):
    made = [request(str(at)) for at in range(7)]
    await rig.keep(*made)
    pages, query = [], Query(ends_first=ends_first, limit=2)
    while page := await rig.approvals.list(query):
        pages.append(page)
        time = page[-1].ends_at if ends_first else page[-1].created_at
        query = replace(query, after=PageEnd(time, page[-1].id))
    assert [len(each) for each in pages] == [2, 2, 2, 1]
    assert by_id(sum(pages, ())) == by_id(made)


async def test_what_is_due_is_listed_the_longest_due_first(rig):
    made = request("ends", ends_at=NOW + 10)
    reminded = request("reminded", remind_at=NOW + 5)
    granted = approved("granted", grant_until=NOW + 7)
    later = request("later", ends_at=NOW + 11)
    ended = request("ended", ends_at=NOW + 1)
    used = approved("used", grant_until=NOW + 1)
    await rig.keep(made, reminded, granted, later, ended, used)
    await rig.approvals.change(ended, end(ended))
    await rig.approvals.consume([used.id], NOW)
    assert await rig.approvals.list_due(NOW + 10, 10) == (reminded, granted, made)
    assert await rig.approvals.list_due(NOW + 10, 2) == (reminded, granted)
    assert await rig.approvals.list_due(NOW + 4.9, 10) == ()


async def test_what_is_due_moves_with_a_change(rig):
    made = request(remind_at=NOW + 5)
    await rig.keep(made)
    moved = replace(made, remind_at=None, version=1)
    await rig.approvals.change(made, moved)
    assert (await rig.approvals.list_due(NOW + 5, 10), await rig.approvals.list_due(made.ends_at, 10)) == ((), (moved,))


async def test_arguments_are_read_as_they_were_kept_until_they_are_erased(rig):
    old, new = request("old"), request("new", at=NOW + 10)
    params = KeptCall("\u00fc\x00".encode() * 1000)
    await rig.approvals.open([asked(old), asked(new, kept=params)], 10, NOW)
    for each in (old, new):
        await rig.approvals.change(each, end(each))
    assert (await rig.approvals.read_kept(old.id), await rig.approvals.read_kept(new.id)) == (KEPT, params)
    assert [await rig.approvals.erase(NOW + 10) for _ in range(2)] == [1, 0]
    assert (await rig.approvals.read_kept(old.id), await rig.approvals.read_kept(new.id)) == (None, params)
    assert await rig.approvals.get(old.id) == end(old)


@pytest.mark.parametrize("live", [request("live"), approved("live")], ids=["open", "approved"])
async def test_arguments_of_a_live_request_are_not_erased(rig, live):
    await rig.keep(live)
    assert (await rig.approvals.erase(NOW + 10), await rig.approvals.read_kept(live.id)) == (0, KEPT)
    await rig.approvals.change(live, end(live))
    assert (await rig.approvals.erase(NOW + 10), await rig.approvals.read_kept(live.id)) == (1, None)


async def test_store_that_does_not_answer_is_unavailable(rig):
    rig.break_it()
    made, store = approved(), rig.approvals
    asks = (
        store.find((made.key,)), store.open([asked(made)], 1, NOW), store.change(made, made),
        store.consume([made.id], NOW), store.get(made.id), store.read_kept(made.id), store.list(Query()),
        store.list_due(NOW, 1), store.erase(NOW),
    )  # fmt: skip
    for each in asks:
        with pytest.raises(Unavailable) as told:
            await each
        assert (told.value.reason, told.value.name) == (Reason.STORE_UNAVAILABLE, "store")
