"""What the rules about monitoring are proved by."""

from tests.k8s.planted import Fault

_ALERT = ("spec", "groups", 0, "rules", 0, "expr")

OF_MONITORING = [
    Fault(
        "monitors_find_services", "ServiceMonitor/rapt-front", ("spec", "endpoints", 0, "path"),
        "/metric", "it asks /metric: metrics are at /metrics",
    ),
    Fault(
        "monitors_find_services", "ServiceMonitor/rapt-triton", ("spec", "endpoints", 0, "port"),
        "figures", "no Service that it selects has a port figures",
    ),
    Fault(
        "monitors_find_services", "ServiceMonitor/rapt-triton", ("spec", "selector", "matchLabels"),
        {"app.kubernetes.io/component": "tritn"}, "it selects no Service",
    ),
    Fault(
        "alerts_can_fire", "PrometheusRule/rapt", _ALERT, "absent(rapt_model_info",
        "RaptNoModelAnswers has brackets that don't match",
    ),
    Fault(
        "alerts_can_fire", "PrometheusRule/rapt", _ALERT, "absent(rapt_modl_info)",
        "RaptNoModelAnswers asks for rapt_modl_info, which nobody counts",
    ),
    Fault(
        "alerts_can_fire", "PrometheusRule/rapt", _ALERT, 'absent(rapt_workers{state="idle"})',
        "RaptNoModelAnswers asks for rapt_workers by state, which it hasn't",
    ),
]  # fmt: skip
