# SPDX-License-Identifier: MIT
"""Tests mirror the sources: src/<folder>/<name>.c has tests/unit/<folder>/test_<name>.c."""

import pathlib

# Tested elsewhere, each with the place: what needs a whole daemon or a whole command line.
EXEMPT = {
    "src/main.c": "tests/integration/test_cli.py",
    "src/acme_hook_main.c": "tests/integration/test_acme_hook.py",
    "src/acme_hook/hook_command.c": "tests/integration/test_acme_hook.py",
    "src/check_main.c": "tests/check/test_command.py",
    "src/check/check_main.c": "tests/check/test_command.py",
    "src/check/check_run.c": "tests/check/test_many.py",
    "src/check/check_session.c": "tests/check/test_command.py",
    "src/check/dns_diff.c": "tests/check/test_diff_dns.py",
    "src/check/curl_loop.c": "tests/check/test_scenarios.py",
    "src/check/domain_check.c": "tests/check/test_scenarios.py",
    "src/check/host_fetch.c": "tests/check/test_behaviour.py",
    "src/check/host_visit.c": "tests/check/test_behaviour.py",
    "src/check/host_visits.c": "tests/check/test_behaviour.py",
    "src/check/http_fetch.c": "tests/check/test_scenarios.py",
    "src/check/rua_check.c": "tests/check/test_scenarios.py",
    "src/check/zone_servers.c": "tests/check/test_scenarios.py",
    "src/check/report.c": "tests/check/test_command.py",
    "src/check/report_json.c": "tests/check/test_command.py",
    "src/check/report_nagios.c": "tests/check/test_command.py",
    "src/check/report_tlsa.c": "tests/check/test_tlsa.py",
    "src/check/report_text.c": "tests/check/test_command.py",
    "src/cli/become.c": "tests/check/test_command.py",
    "src/cli/cli.c": "tests/integration/test_cli.py",
    "src/cli/daemon_ids.c": "tests/integration/test_print_dns.py",
    "src/cli/daemon_orders.c": "tests/acme/test_list.py",
    "src/cli/dns_files.c": "tests/integration/test_print_dns.py",
    "src/cli/dns_left.c": "tests/integration/test_print_dns.py",
    "src/cli/dns_plan.c": "tests/integration/test_print_dns.py",
    "src/cli/mode_certificates.c": "tests/integration/test_list_certificates.py",
    "src/cli/mode_control.c": "tests/integration/test_control.py",
    "src/cli/mode_import.c": "tests/integration/test_import.py",
    "src/cli/mode_match_mx.c": "tests/integration/test_cli.py",
    "src/cli/mode_parse_policy.c": "tests/integration/test_vectors.py",
    "src/cli/mode_parse_record.c": "tests/integration/test_vectors.py",
    "src/cli/mode_print_dns.c": "tests/integration/test_print_dns.py",
    "src/cli/mode_print_policy.c": "tests/integration/test_cli.py",
    "src/cli/mode_print_schema.c": "tests/integration/test_print_schema.py",
    "src/cli/mode_serve.c": "tests/integration/test_start.py",
    "src/cli/mode_test_config.c": "tests/integration/test_findings.py",
    "src/cli/mode_withdraw.c": "tests/integration/test_withdraw.py",
    "src/cli/modes.c": "tests/integration/test_cli.py",
    "src/cli/parallel.c": "tests/integration/test_certificates.py",
    "src/cli/run_as.c": "tests/integration/test_privileges.py",
    "src/cli/certificate_findings.c": "tests/integration/test_findings.py",
    "src/cli/start_check.c": "tests/integration/test_privileges.py",
    "src/cli/warnings.c": "tests/integration/test_pasted.py",
    "src/reports_main.c": "tests/integration/test_reports.py",
    "src/reports/reports_main.c": "tests/integration/test_reports.py",
    "src/reports/report_import.c": "tests/integration/test_reports.py",
    "src/reports/reports_show.c": "tests/integration/test_reports.py",
    "src/reports/reports_site.c": "tests/site/test_files.py",
    "src/reports/site_domain.c": "tests/site/test_files.py",
    "src/reports/site_front.c": "tests/site/test_pages.py",
    "src/reports/site_shard.c": "tests/site/test_files.py",
    "src/daemon/http/status_handler.c": "tests/integration/test_status.py",
    "src/lib/import/import_files.c": "tests/integration/test_import.py",
    "src/lib/import/import_finding.c": "tests/integration/test_import.py",
    "src/daemon/child/spawner_process.c": "tests/unit/daemon/child/test_spawner.c",
    "src/daemon/control/control_client.c": "tests/integration/test_control.py",
    "src/daemon/main/cert_refresh.c": "tests/integration/test_certificates.py",
    "src/daemon/main/cert_scan_log.c": "tests/integration/test_certificate_states.py",
    "src/daemon/main/log_pump.c": "tests/integration/test_access_log.py",
    "src/daemon/main/control_commands.c": "tests/integration/test_control.py",
    "src/daemon/main/listen_sockets.c": "tests/integration/test_listeners.py",
    "src/daemon/main/process_limits.c": "tests/integration/test_limits.py",
    "src/daemon/main/started_programs.c": "tests/integration/test_signals.py",
    "src/daemon/main/store_maker.c": "tests/integration/test_privileges.py",
    "src/daemon/main/report_service.c": "tests/integration/test_report_intake.py",
    "src/daemon/main/server.c": "tests/integration/test_signals.py",
    "src/daemon/main/signals.c": "tests/integration/test_signals.py",
    "src/daemon/main/worker_setup.c": "tests/integration/test_fetch.py",
    "src/daemon/main/worker_threads.c": "tests/integration/test_signals.py",
}


def findings(tree):
    sources = set(tree.files("src/**/*.c"))
    for path in sorted(sources):
        source = pathlib.PurePath(path).relative_to("src")
        own = f"tests/unit/{source.parent}/test_{source.name}"
        has_own = (tree.root / own).exists()
        if has_own and path in EXEMPT:
            yield f"tests/lint/tests.py:1: {path} has {own}: take it out of EXEMPT"
        elif not has_own and not (tree.root / EXEMPT.get(path, own)).exists():
            yield f"{path}:1: has no {EXEMPT.get(path, own)}"
    for test in tree.files("tests/unit/**/test_*.c"):
        place = pathlib.PurePath(test).relative_to("tests/unit")
        if not (tree.root / "src" / place.parent / place.name.removeprefix("test_")).exists():
            yield f"{test}:1: tests no source"
    for path in sorted(set(EXEMPT) - sources):
        yield f"tests/lint/tests.py:1: {path} is exempt and does not exist"
