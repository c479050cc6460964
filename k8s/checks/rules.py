"""All rules, in the order in which they are asked."""

from collections.abc import Callable, Iterator

from k8s.checks.commands import commands_exist
from k8s.checks.images import images_are_pinned
from k8s.checks.listening import ports_are_listened_on
from k8s.checks.manifests import Problem, Rendered
from k8s.checks.monitoring import (
    alerts_can_fire,
    dashboards_can_be_read,
    monitors_find_services,
)
from k8s.checks.network import (
    all_is_denied_at_first,
    callers_from_elsewhere_are_let_in,
    calls_are_let_through,
    networks_are_networks,
    nobody_else_is_let_in,
    open_ports_are_served,
    served_ports_are_open,
)
from k8s.checks.probes import (
    pods_drain,
    probe_paths_exist,
    probes_mean_different_things,
    rollouts_keep_serving,
    starts_are_given_time,
)
from k8s.checks.references import (
    named_objects_exist,
    ports_exist,
    routes_lead_somewhere,
    settings_roll_pods,
    volumes_exist,
)
from k8s.checks.resources import (
    memory_is_enough,
    quantities_are_quantities,
    requests_are_within_limits,
    resources_are_asked_for,
)
from k8s.checks.scaling import (
    one_scales_a_workload,
    scaling_has_room,
    triggers_name_their_authentication,
)
from k8s.checks.schemas import fields_are_known
from k8s.checks.security import (
    figures_stay_inside,
    kinds_are_looked_at,
    namespaces_are_restricted,
    nothing_is_exposed,
    pods_are_restricted,
    secrets_are_elsewhere,
)
from k8s.checks.selectors import selectors_find_pods, spreads_count_their_own
from k8s.checks.settings import (
    needed_settings_are_given,
    settings_are_known,
    variables_are_read,
    workers_are_their_pods,
)
from k8s.checks.storage import (
    folders_are_mounted,
    pods_share_what_they_keep,
    volumes_hold_an_upload,
)
from k8s.checks.work import (
    queries_ask_of_their_namespace,
    scaling_metrics_exist,
    scaling_rows_exist,
    targets_are_above_zero,
)
from k8s.checks.workloads import (
    budgets_leave_room,
    clients_find_all_pods,
    jobs_end,
    namespaces_are_made,
    workloads_have_pods,
)

Rule = Callable[[Rendered], Iterator[Problem]]

# The others read fields without asking whether they are there.
FIRST: tuple[Rule, ...] = (fields_are_known, quantities_are_quantities)
RULES: tuple[Rule, ...] = (
    alerts_can_fire,
    all_is_denied_at_first,
    budgets_leave_room,
    callers_from_elsewhere_are_let_in,
    calls_are_let_through,
    clients_find_all_pods,
    commands_exist,
    dashboards_can_be_read,
    figures_stay_inside,
    folders_are_mounted,
    images_are_pinned,
    jobs_end,
    kinds_are_looked_at,
    memory_is_enough,
    monitors_find_services,
    named_objects_exist,
    namespaces_are_made,
    namespaces_are_restricted,
    needed_settings_are_given,
    networks_are_networks,
    nobody_else_is_let_in,
    nothing_is_exposed,
    one_scales_a_workload,
    open_ports_are_served,
    pods_are_restricted,
    pods_drain,
    pods_share_what_they_keep,
    ports_are_listened_on,
    ports_exist,
    probe_paths_exist,
    probes_mean_different_things,
    queries_ask_of_their_namespace,
    requests_are_within_limits,
    resources_are_asked_for,
    rollouts_keep_serving,
    routes_lead_somewhere,
    scaling_has_room,
    scaling_metrics_exist,
    scaling_rows_exist,
    secrets_are_elsewhere,
    selectors_find_pods,
    served_ports_are_open,
    settings_are_known,
    settings_roll_pods,
    spreads_count_their_own,
    starts_are_given_time,
    targets_are_above_zero,
    triggers_name_their_authentication,
    variables_are_read,
    volumes_exist,
    volumes_hold_an_upload,
    workers_are_their_pods,
    workloads_have_pods,
)


def broken_rules(rendered: Rendered) -> dict[str, list[Problem]]:
    """Return what is wrong, by the name of the rule that says so.

    Where fields are wrong or missing, nothing else is asked.
    """
    for first in FIRST:
        if problems := list(first(rendered)):
            return {first.__name__: problems}
    found = {rule.__name__: list(rule(rendered)) for rule in RULES}
    return {name: problems for name, problems in found.items() if problems}
