"""Consumer lag: how many records are not handled, and for how long the oldest has waited."""

from aiokafka import TopicPartition

from chassis.inbox.consumer_lag import ENDS, RECORDS, SECONDS, ConsumerLag

FIRST, SECOND = TopicPartition("lag.clients", 0), TopicPartition("lag.clients", 1)


def shown() -> tuple[float, float]:
    return RECORDS.labels("clients")._value.get(), SECONDS.labels("clients")._value.get()


def test_it_is_the_sum_of_records_and_the_age_of_the_oldest_unhandled() -> None:
    handled = {FIRST: 10, SECOND: 0}
    lag = ConsumerLag(["lag.clients"], "lag.", lambda: None, handled)
    assert shown() == (0, 0)
    lag.measure({FIRST: 10, SECOND: 0}, now=100)
    assert shown() == (0, 0)
    lag.measure({FIRST: 12, SECOND: 0}, now=105)
    lag.measure({FIRST: 13, SECOND: 4}, now=110)
    assert shown() == (7, 5)
    handled[FIRST] = 12
    lag.measure({FIRST: 13, SECOND: 4}, now=120)
    assert shown() == (5, 10)
    handled.update({FIRST: 13, SECOND: 4})
    lag.measure({FIRST: 13, SECOND: 4}, now=125)
    assert shown() == (0, 0)


def test_a_partition_that_is_revoked_counts_no_more_and_long_waits_stay_exact() -> None:
    lag = ConsumerLag(["lag.clients"], "lag.", lambda: None, {FIRST: 0, SECOND: 0})
    for step in range(2 * ENDS):
        lag.measure({FIRST: step + 1, SECOND: 1}, now=5.0 * step)
    assert shown() == (2 * ENDS + 1, 5.0 * (2 * ENDS - 1))
    lag.measure({SECOND: 1}, now=1000)
    assert shown() == (1, 1000)
