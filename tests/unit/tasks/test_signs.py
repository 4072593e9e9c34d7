from tasks.signs import SignsOfLife


def test_who_gives_a_sign_now_and_then_is_not_silent():
    signs = SignsOfLife()
    for _ in range(5):
        signs.give("heart")
        signs.tick()
        signs.tick()
    assert signs.silent(3) == []
    assert signs.silent(2) == ["heart"]


def test_who_falls_silent_is_found():
    signs = SignsOfLife()
    signs.give("heart")
    signs.give("lungs")
    for _ in range(3):
        signs.tick()
        signs.give("lungs")
    assert signs.silent(3) == ["heart"]


def test_who_never_gave_one_or_has_ended_is_not_expected_to():
    signs = SignsOfLife()
    signs.give("heart")
    signs.end("heart")
    signs.end("lungs")
    signs.tick()
    assert signs.silent(1) == []
