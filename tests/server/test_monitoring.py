"""A scraper reads what was counted."""

from prometheus_client.parser import text_string_to_metric_families

from tfgan.server.monitoring import Metrics


def samples(metrics):
    families = text_string_to_metric_families(metrics.page().decode())
    return {
        (sample.name, *sorted(sample.labels.values())): sample.value
        for family in families
        for sample in family.samples
    }


def test_requests_are_counted_by_how_they_ended():
    metrics = Metrics()
    for code in 'OK', 'OK', 'NOT_FOUND':
        with metrics.request('rest') as set_code:
            set_code(code)
    try:
        with metrics.request('grpc'):
            raise KeyError
    except KeyError:
        pass
    found = samples(metrics)
    assert found['tfgan_requests_total', 'OK', 'rest'] == 2
    assert found['tfgan_requests_total', 'NOT_FOUND', 'rest'] == 1
    assert found['tfgan_requests_total', 'INTERNAL', 'grpc'] == 1
    assert found['tfgan_request_seconds_count', 'rest'] == 3
    assert 0 < found['tfgan_request_seconds_sum', 'rest'] < 10


def test_two_servers_of_a_process_count_for_themselves():
    first, second = Metrics(), Metrics()
    first.batch_rows.labels('toy').observe(32)
    first.version.labels('toy').set(3)
    assert samples(first)['tfgan_batch_rows_sum', 'toy'] == 32
    assert samples(first)['tfgan_model_version', 'toy'] == 3
    assert ('tfgan_batch_rows_sum', 'toy') not in samples(second)
