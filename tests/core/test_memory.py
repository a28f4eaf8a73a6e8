"""What is remembered is bounded in number, and forgetting changes no answer."""

from agen_authz.core.memory import Memory, remember


def test_what_is_kept_is_found():
    memory: Memory[str, int] = Memory(2)
    assert (memory.find("a"), memory.keep("a", 1), memory.find("a")) == (None, 1, 1)


def test_full_memory_is_cleared_whole_before_more_is_kept():
    memory: Memory[str, int] = Memory(2)
    said = [(memory.keep(key, value), memory.is_full(), len(memory)) for value, key in enumerate("abc")]
    assert said == [(0, False, 1), (1, True, 2), (2, False, 1)]
    assert [memory.find(key) for key in "abc"] == [None, None, 2]


def test_what_is_cleared_is_found_no_more():
    memory: Memory[str, int] = Memory(2)
    memory.keep("a", 1)
    memory.clear()
    assert (memory.find("a"), len(memory)) == (None, 0)


def test_function_remembers_its_last_answers_only():
    asked = []

    @remember(2)
    def double(number: int) -> int:
        asked.append(number)
        return 2 * number

    assert [double(number) for number in (1, 1, 2, 3, 2, 1)] == [2, 2, 4, 6, 4, 2]
    assert asked == [1, 2, 3, 1]
