"""What is watched, and from where it is worth a warning or an alarm: the one place of every threshold.

``make supervision`` writes supervision.yaml, alarms and dashboards, from it; the runbook has a heading per alarm. The
figures of CPU, memory, disk, latency, errors, capacity, payments and invoices are those promised to customers
(docs/decisions/0029). Expressions are CloudWatch's metric math, limits are in ``unit``, periods in seconds.
"""

from __future__ import annotations

from typing import Any

from billing.domain.watch import Composite, Indicator, Level, Metric, Service, Unusual

# Where CPU, memory or disk can run out. LambdaInsights is on these only, for it is billed per function.
CRITICAL_FUNCTIONS = {
    "IssueInvoice": ("InvoicesIssueFunction", 1024, "l'émission des factures"),
    "RenderInvoice": ("WorkflowsRenderInvoiceFunction", 1769, "le rendu des PDF"),
    "JudgeInvoice": ("WorkflowsJudgeInvoiceFunction", 1769, "le contrôle de conformité"),
    "StripeEvents": ("WebhooksProcessStripeEventFunction", 1024, "le traitement des paiements"),
    "PlaceEvents": ("StreamsPlaceEventsFunction", 1024, "le journal des événements"),
}  # logical id, memory in MB as the template has it, words
# Called by the alias, whose calls move to new versions little by little (docs/decisions/0041).
GRADUAL_FUNCTIONS = (
    "InvoicesCreateFunction",
    "InvoicesReadFunction",
    "InvoicesIssueFunction",
    "CreditNotesIssueFunction",
    "PaymentsRecordFunction",
    "PortalPayInvoiceFunction",
    "WebhooksReceiveStripeEventFunction",
    "WebhooksProcessStripeEventFunction",
)
# What Lambda gives a whole vCPU for, in MB.
VCPU_MEMORY = 1769
# Request units that the table takes per second at most, and executions that the account runs at once.
TABLE_INDEXES = ("Listing", "ByStatus", "ByCustomer", "ByDueDate", "Outbox", "OwedByCustomer")
TABLE_READ_UNITS = 12_000
TABLE_WRITE_UNITS = 4_000
CONCURRENT_EXECUTIONS = 1_000
# Of requests answered without a fault of ours, in percent of a month: what is promised to customers.
SLO_AVAILABILITY = 99.8


def _own(name: str, statistic: str = "Sum", **dimensions: str) -> Metric:
    """A metric that a function of ours writes; Powertools adds its service."""
    return Metric("ZenBilling", name, tuple(sorted({"service": "zenbilling", **dimensions}.items())), statistic)


def _api(name: str, statistic: str = "Sum") -> Metric:
    return Metric("AWS/ApiGateway", name, (("ApiId", "Ref:HttpApi"), ("Stage", "$default")), statistic)


def _function(name: str, function: str, statistic: str = "Sum") -> Metric:
    return Metric("AWS/Lambda", name, (("FunctionName", f"Ref:{function}"),), statistic)


def _live(name: str, function: str) -> Metric:
    """Of calls by the alias: of every version that they went to, and of no call around it."""
    return Metric("AWS/Lambda", name, (("FunctionName", f"Ref:{function}"), ("Resource", f"Ref:{function}:live")))


def _insights(name: str, function: str, statistic: str = "Maximum") -> Metric:
    return Metric("LambdaInsights", name, (("function_name", f"Ref:{function}"),), statistic)


def _workflow(name: str) -> Metric:
    return Metric("AWS/States", name, (("StateMachineArn", "Ref:InvoiceDeliveryStateMachine"),))


def _errors(name: str, function: str, says: str, service: Service, period: int, level: Level) -> Indicator:
    """A function that runs by the clock or from a queue raises."""
    return Indicator(
        name=name,
        service=service,
        says=says,
        unit="exécution en échec",
        metrics={"errors": _function("Errors", function)},
        period=period,
        warning=level,
    )


def _missing(
    name: str, function: str, says: str, service: Service, period: int, level: Level, **rest: Any
) -> Indicator:
    """A function that runs by the clock does not run any more."""
    runs = _function("Invocations", function)
    return _silent(name, says, runs, "exécution", service=service, period=period, critical=level, **rest)


def _silent(name: str, says: str, metric: Metric, unit: str, **rest: Any) -> Indicator:
    """What has to be counted again and again is not."""
    return Indicator(
        name=name, says=says, unit=unit, metrics={"counted": metric}, below=True, silent_is_bad=True, **rest
    )


def _dead_letters(name: str, queue: str, says: str, service: Service, period: int = 60) -> Indicator:
    metric = Metric(
        "AWS/SQS", "ApproximateNumberOfMessagesVisible", (("QueueName", f"GetAtt:{queue}.QueueName"),), "Maximum"
    )
    return Indicator(
        name=name,
        service=service,
        says=says,
        unit="message mis de côté",
        metrics={"letters": metric},
        period=period,
        critical=Level(limit=1),
    )


def _cpu(name: str, function: str, memory: int, says: str) -> Indicator:
    return Indicator(
        name=f"{name}Cpu",
        service=Service.INFRASTRUCTURE,
        says=f"Processeur pour {says}",
        unit="% du processeur",
        metrics=_used(function),
        expressions={"share": _cpu_share(memory)},
        warning=Level(limit=70, datapoints=3, periods=5),
        critical=Level(limit=85, datapoints=3, periods=3),
    )


def _saturation(name: str, function: str, memory: int, says: str) -> Indicator:
    """CPU or memory above 80 % for five minutes."""
    return Indicator(
        name=f"{name}Saturation",
        service=Service.INFRASTRUCTURE,
        says=f"Processeur ou mémoire pour {says}",
        unit="%",
        metrics=_used(function) | {"memory": _insights("memory_utilization", function)},
        expressions={"highest": "MAX([share, FILL(memory, 0)])", "share": f"FILL({_cpu_share(memory)}, 0)"},
        warning=Level(limit=80, datapoints=5, periods=5),
    )


def _used(function: str) -> dict[str, Metric]:
    return {
        "cpu": _insights("cpu_total_time", function, "Sum"),
        "duration": _function("Duration", function),
        "runs": _function("Invocations", function),
    }


def _cpu_share(memory: int) -> str:
    """Of the processor time that Lambda gives with this memory; few runs say nothing."""
    return f"IF(runs >= 5, 100 * cpu / (duration * {memory} / {VCPU_MEMORY}), 0)"


def _counted(name: str, says: str, metric: str, unit: str, **rest: Any) -> Indicator:
    """A count of what functions of ours report."""
    return Indicator(name=name, says=says, unit=unit, metrics={"count": _own(metric)}, **rest)


_ERRORS_OF_API = "IF(requests >= 20 AND FILL(errors, 0) >= 3, 100 * FILL(errors, 0) / requests, 0)"
_ERRORS_OF_INVOICES = {
    "ratio": "IF(finished >= 5 AND errors >= 2, 100 * errors / finished, 0)",
    "errors": "FILL(failed, 0) + FILL(timedout, 0) + FILL(aborted, 0)",
    "finished": "errors + FILL(succeeded, 0)",
}
_HOUR, _DAY = 3_600, 86_400

INDICATORS: tuple[Indicator, ...] = (
    # ---- What users feel
    Indicator(
        name="ApiErrors",
        service=Service.API,
        says="Requêtes en erreur de notre fait (5xx)",
        unit="% des requêtes",
        metrics={"errors": _api("5xx"), "requests": _api("Count")},
        expressions={"ratio": _ERRORS_OF_API},
        warning=Level(limit=2, datapoints=3, periods=5),
        critical=Level(limit=5, datapoints=2, periods=3),
    ),
    Indicator(
        name="ApiLatency",
        service=Service.API,
        says="Temps de réponse de l'API (95ᵉ centile)",
        unit="ms",
        metrics={"latency": _api("Latency", "p95"), "requests": _api("Count")},
        expressions={"slowest": "IF(requests >= 20, latency, 0)"},
        warning=Level(limit=1000, datapoints=3, periods=5),
        critical=Level(limit=2000, datapoints=2, periods=3),
    ),
    Indicator(
        name="NetworkLatency",
        service=Service.API,
        says="Latence du réseau devant nos fonctions (moyenne)",
        unit="ms",
        metrics={
            "total": _api("Latency", "Average"),
            "ours": _api("IntegrationLatency", "Average"),
            "requests": _api("Count"),
        },
        expressions={"difference": "IF(requests >= 10, total - ours, 0)"},
        warning=Level(limit=100, datapoints=3, periods=5),
        critical=Level(limit=500, datapoints=3, periods=5),
    ),
    Indicator(
        name="InvoiceGenerationErrors",
        service=Service.INVOICES,
        says="Envois de factures en échec (PDF, contrôle ou mail)",
        unit="% des envois terminés",
        metrics={
            "failed": _workflow("ExecutionsFailed"),
            "timedout": _workflow("ExecutionsTimedOut"),
            "aborted": _workflow("ExecutionsAborted"),
            "succeeded": _workflow("ExecutionsSucceeded"),
        },
        expressions=_ERRORS_OF_INVOICES,
        period=300,
        warning=Level(limit=2, datapoints=2, periods=3),
        critical=Level(limit=5),
    ),
    Indicator(
        name="FailedPayments",
        service=Service.PAYMENTS,
        says="Paiements en ligne refusés",
        unit="% des paiements tentés",
        metrics={"failed": _own("PaymentFailed"), "attempted": _own("PaymentAttempted")},
        expressions={"ratio": "IF(attempted >= 10, 100 * FILL(failed, 0) / attempted, 0)"},
        period=900,
        warning=Level(limit=5),
        critical=Level(limit=10, datapoints=2, periods=2),
    ),
    *(
        Indicator(
            name=f"{name}Latency",
            service=service,
            says=f"Temps de réponse {of} (95ᵉ centile)",
            unit="ms",
            metrics={"latency": _own(f"{name}Latency", "p95"), "calls": _own(f"{name}Latency", "SampleCount")},
            expressions={"slowest": "IF(calls >= 20, latency, 0)"},
            period=period,
            warning=Level(limit=warning, datapoints=3, periods=5),
            critical=Level(limit=critical, datapoints=3, periods=5),
        )
        for name, service, of, period, warning, critical in (
            ("Table", Service.DATA, "de la table", 60, 100, 500),
            ("Stripe", Service.PAYMENTS, "de Stripe", 300, 2_000, 5_000),
            ("Mail", Service.MAIL, "de l'envoi des e-mails", 300, 2_000, 10_000),
        )
    ),
    # ---- The canary: what a company does, from outside
    _silent(
        "CanaryPassesMissing",
        "Le contrôle automatique (connexion, lecture, brouillon, PDF) ne passe plus",
        _own("CanaryPassed"),
        "réussite",
        service=Service.API,
        period=300,
        critical=Level(limit=1, datapoints=2, periods=3),
        topic="",  # the service is down: said once
    ),
    _silent(
        "CanaryIssuesMissing",
        "Le contrôle automatique n'émet et n'envoie plus de facture",
        _own("CanaryIssued"),
        "réussite",
        service=Service.INVOICES,
        period=_HOUR,
        critical=Level(limit=1, datapoints=2, periods=2),
    ),
    _counted(
        "CanaryFailures",
        "Contrôles automatiques en échec",
        "CanaryFailed",
        "échec",
        service=Service.API,
        period=300,
        warning=Level(limit=1),
    ),
    # ---- What takes calls away from new versions again: CodeDeploy looks at it, and how a deployment ended is told
    Indicator(
        name="LiveErrors",
        service=Service.API,
        says="Exécutions en échec des fonctions déployées progressivement",
        unit="exécution en échec",
        metrics={f"errors{rank}": _live("Errors", name) for rank, name in enumerate(GRADUAL_FUNCTIONS, start=1)},
        expressions={"failed": " + ".join(f"FILL(errors{rank + 1}, 0)" for rank in range(len(GRADUAL_FUNCTIONS)))},
        warning=Level(limit=1),
        topic="",
    ),
    # ---- What is unlike this hour of other weeks: a hint, never an alarm that wakes
    *(
        Indicator(
            name=f"{name}Unusual",
            service=service,
            says=says,
            unit=unit,
            metrics=metrics,
            expressions={"measured": measured},
            period=300,
            unusual=side,
            warning=Level(limit=3, datapoints=3, periods=3),
        )
        for name, service, says, unit, metrics, measured, side in (
            ("Requests", Service.API, "Requêtes", "requêtes", {"all": _api("Count")}, "FILL(all, 0)", Unusual.BOTH),
            (
                "ApiLatency",
                Service.API,
                "Temps de réponse de l'API",
                "ms",
                {"latency": _api("Latency", "p95"), "requests": _api("Count")},
                "IF(requests >= 20, latency, 0)",
                Unusual.ABOVE,
            ),
            (
                "Invoices",
                Service.INVOICES,
                "Factures émises",
                "factures",
                {"issued": _own("InvoiceIssued")},
                "FILL(issued, 0)",
                Unusual.BELOW,
            ),
            (
                "Payments",
                Service.PAYMENTS,
                "Paiements réussis",
                "paiements",
                {"succeeded": _own("PaymentSucceeded")},
                "FILL(succeeded, 0)",
                Unusual.BELOW,
            ),
        )
    ),
    # ---- Machines
    *(_cpu(name, *critical) for name, critical in CRITICAL_FUNCTIONS.items()),
    Indicator(
        name="FunctionMemory",
        service=Service.INFRASTRUCTURE,
        says="Mémoire de la fonction critique la plus chargée",
        unit="% de sa mémoire",
        metrics={
            f"memory{rank}": _insights("memory_utilization", function)
            for rank, (function, _, _) in enumerate(CRITICAL_FUNCTIONS.values(), start=1)
        },
        expressions={"highest": f"MAX([{', '.join(f'memory{rank + 1}' for rank in range(len(CRITICAL_FUNCTIONS)))}])"},
        warning=Level(limit=75, datapoints=5, periods=5),
        critical=Level(limit=90, datapoints=2, periods=3),
    ),
    *(_saturation(name, *critical) for name, critical in CRITICAL_FUNCTIONS.items()),
    Indicator(
        name="FunctionDisk",
        service=Service.INFRASTRUCTURE,
        says="Disque temporaire du rendu ou du contrôle des factures",
        unit="% du disque",
        metrics={
            f"{kind}{rank}": _insights(f"tmp_{kind}", CRITICAL_FUNCTIONS[name][0])
            for rank, name in enumerate(("RenderInvoice", "JudgeInvoice"), start=1)
            for kind in ("used", "free")
        },
        expressions={"highest": "MAX([100 * used1 / (used1 + free1), 100 * used2 / (used2 + free2)])"},
        warning=Level(limit=80, datapoints=2, periods=3),
        critical=Level(limit=95, datapoints=2, periods=3),
    ),
    Indicator(
        name="DatabaseCapacity",
        service=Service.DATA,
        says="Capacité de la table employée",
        unit="% du débit admis",
        metrics={
            kind: Metric("AWS/DynamoDB", f"Consumed{kind.title()}CapacityUnits", (("TableName", "Ref:BillingTable"),))
            for kind in ("read", "write")
        },
        expressions={
            "share": "100 * MAX([written, taken])",
            "written": f"FILL(write, 0) / (PERIOD(write) * {TABLE_WRITE_UNITS})",
            "taken": f"FILL(read, 0) / (PERIOD(read) * {TABLE_READ_UNITS})",
        },
        warning=Level(limit=80, datapoints=2, periods=3),
        critical=Level(limit=95, datapoints=2, periods=3),
    ),
    Indicator(
        name="TableThrottles",
        service=Service.DATA,
        says="Demandes refusées par la table ou l'un de ses index",
        unit="demande refusée",
        metrics={
            name: Metric("AWS/DynamoDB", metric, (("TableName", "Ref:BillingTable"), *index))
            for name, metric, index in (
                ("reads", "ReadThrottleEvents", ()),
                ("writes", "WriteThrottleEvents", ()),
                *(
                    (f"index{rank}", "WriteThrottleEvents", (("GlobalSecondaryIndexName", index),))
                    for rank, index in enumerate(TABLE_INDEXES, start=1)
                ),
            )
        },
        expressions={
            "refused": " + ".join(
                f"FILL({name}, 0)"
                for name in ("reads", "writes", *(f"index{rank + 1}" for rank in range(len(TABLE_INDEXES))))
            )
        },
        critical=Level(limit=1, datapoints=2, periods=3),
    ),
    Indicator(
        name="FunctionThrottles",
        service=Service.INFRASTRUCTURE,
        says="Exécutions refusées par Lambda",
        unit="exécution refusée",
        metrics={"refused": Metric("AWS/Lambda", "Throttles")},  # without a dimension: of the account, one stage each
        critical=Level(limit=1, datapoints=2, periods=3),
    ),
    Indicator(
        name="FunctionConcurrency",
        service=Service.INFRASTRUCTURE,
        says="Exécutions simultanées de Lambda",
        unit="% du quota",
        metrics={"running": Metric("AWS/Lambda", "ConcurrentExecutions", (), "Maximum")},
        expressions={"share": f"100 * running / {CONCURRENT_EXECUTIONS}"},
        warning=Level(limit=80, datapoints=2, periods=3),
        critical=Level(limit=95, datapoints=2, periods=3),
    ),
    _counted(
        "EnvironmentsRecycled",
        "Environnements d'exécution qui échouaient sans cesse, remplacés",
        "EnvironmentRecycled",
        "environnements",
        service=Service.INFRASTRUCTURE,
        period=900,
        warning=Level(limit=3),
    ),
    # ---- Workflows and the change feed
    _dead_letters(
        "StreamsDeadLetters", "StreamsDeadLetterQueue", "Demandes abandonnées par les lecteurs du flux", Service.DATA
    ),
    _dead_letters(
        "EventsDeadLetters",
        "EventsDeadLetterQueue",
        "Événements de mail ou tâches planifiées abandonnés",
        Service.AUTOMATIONS,
    ),
    _errors(
        "DeadLetterReplaysErrors",
        "ScheduledReplayDeadLettersFunction",
        "La reprise des messages mis de côté échoue",
        Service.SUPERVISION,
        900,
        Level(limit=1, datapoints=2, periods=2),
    ),
    Indicator(
        name="StreamAge",
        service=Service.INVOICES,
        says="Retard du démarrage des envois",
        unit="ms",
        metrics={"age": _function("IteratorAge", "StreamsStartWorkflowsFunction", "Maximum")},
        warning=Level(limit=60_000, datapoints=3, periods=5),
    ),
    _errors(
        "WorkflowRestartErrors",
        "ScheduledRestartWorkflowsFunction",
        "La relance des envois inachevés échoue",
        Service.INVOICES,
        60,
        Level(limit=1, datapoints=3, periods=5),
    ),
    _missing(
        "WorkflowRestartsMissing",
        "ScheduledRestartWorkflowsFunction",
        "La relance des envois inachevés ne tourne plus",
        Service.INVOICES,
        300,
        Level(limit=1, datapoints=2, periods=2),
    ),
    Indicator(
        name="WorkflowThrottles",
        service=Service.INVOICES,
        says="Envois retardés par Step Functions",
        unit="démarrage refusé",
        metrics={"refused": _workflow("ExecutionThrottled")},
        period=300,
        warning=Level(limit=1, datapoints=2, periods=3),
    ),
    Indicator(
        name="EventFeedAge",
        service=Service.PROOF,
        says="Retard du journal des événements",
        unit="ms",
        metrics={"age": _function("IteratorAge", "StreamsPlaceEventsFunction", "Maximum")},
        warning=Level(limit=60_000, datapoints=3, periods=5),
    ),
    _counted(
        "EventsPlacedLate",
        "Événements manqués par leur lecteur, placés après coup",
        "EventPlacedLate",
        "événements",
        service=Service.PROOF,
        period=300,
        warning=Level(limit=50, datapoints=2, periods=3),
    ),
    _errors(
        "EventSweepErrors",
        "ScheduledPlaceMissedEventsFunction",
        "Le rattrapage du journal des événements échoue",
        Service.PROOF,
        60,
        Level(limit=1, datapoints=3, periods=5),
    ),
    _missing(
        "EventSweepsMissing",
        "ScheduledPlaceMissedEventsFunction",
        "Le rattrapage du journal des événements ne tourne plus",
        Service.PROOF,
        300,
        Level(limit=1, datapoints=2, periods=2),
    ),
    # ---- What runs by the clock
    _errors(
        "RecurringRunErrors",
        "ScheduledRunRecurringInvoicesFunction",
        "Le passage des factures récurrentes échoue",
        Service.AUTOMATIONS,
        _HOUR,
        Level(limit=1, datapoints=2, periods=2),
    ),
    _missing(
        "RecurringRunsMissing",
        "ScheduledRunRecurringInvoicesFunction",
        "Les factures récurrentes ne passent plus",
        Service.AUTOMATIONS,
        _HOUR,
        Level(limit=1, datapoints=3, periods=3),
    ),
    _counted(
        "RecurringInvoicesParked",
        "Factures récurrentes refusées et mises de côté",
        "RecurringInvoiceParked",
        "factures récurrentes",
        service=Service.AUTOMATIONS,
        period=_HOUR,
        warning=Level(limit=10),
    ),
    _errors(
        "RemindersRunErrors",
        "ScheduledRunRemindersFunction",
        "Le passage des relances échoue",
        Service.AUTOMATIONS,
        _HOUR,
        Level(limit=1, datapoints=2, periods=2),
    ),
    _missing(
        "RemindersRunsMissing",
        "ScheduledRunRemindersFunction",
        "Les relances ne passent plus",
        Service.AUTOMATIONS,
        _HOUR,
        Level(limit=1, datapoints=3, periods=3),
    ),
    _errors(
        "ChainHeadsErrors",
        "ScheduledKeepChainHeadsFunction",
        "La mise sous scellés des têtes de chaîne échoue",
        Service.PROOF,
        _HOUR,
        Level(limit=1, datapoints=2, periods=2),
    ),
    _counted(
        "ChainHeadDiffers",
        "Tête de chaîne scellée absente ou différente de la table",
        "ChainHeadDiffers",
        "tête de chaîne",
        service=Service.PROOF,
        period=300,
        critical=Level(limit=1),
    ),
    _missing(
        "ChainHeadsMissing",
        "ScheduledKeepChainHeadsFunction",
        "Les têtes de chaîne ne sont plus scellées",
        Service.PROOF,
        _HOUR,
        Level(limit=1, datapoints=3, periods=3),
    ),
    _counted(
        "LedgerVerificationFailed",
        "Trou, doublon ou altération trouvés dans une série de factures",
        "LedgerVerificationFailed",
        "vérification en échec",
        service=Service.PROOF,
        period=300,
        critical=Level(limit=1),
    ),
    _counted(
        "BulkJobsUnfinished",
        "Traitements en lot terminés sans le résultat de chaque document",
        "BulkJobUnfinished",
        "traitements",
        service=Service.AUTOMATIONS,
        period=_HOUR,
        warning=Level(limit=3),
    ),
    # ---- Payments online
    _dead_letters(
        "StripeDeadLetters",
        "StripeEventsDeadLetterQueue",
        "Événements de Stripe échoués cinq fois",
        Service.PAYMENTS,
        300,
    ),
    _counted(
        "StripeEventsParked",
        "Événements de Stripe contredits par nos livres, non appliqués",
        "StripeEventParked",
        "événement",
        service=Service.PAYMENTS,
        period=300,
        critical=Level(limit=1),
    ),
    _counted(
        "StripeEventsRefused",
        "Appels que Stripe n'a pas signés",
        "StripeEventRefused",
        "appels",
        service=Service.PAYMENTS,
        period=300,
        warning=Level(limit=20),
    ),
    _counted(
        "StripeEventsFailed",
        "Traitements d'événements de Stripe en échec",
        "StripeEventFailed",
        "échecs",
        service=Service.PAYMENTS,
        period=300,
        warning=Level(limit=5, datapoints=2, periods=2),
    ),
    _errors(
        "StripeEventsErrors",
        "WebhooksProcessStripeEventFunction",
        "Une faute de notre code arrête les événements de Stripe",
        Service.PAYMENTS,
        300,
        Level(limit=1, datapoints=2, periods=2),
    ),
    Indicator(
        name="StripeEventsAge",
        service=Service.PAYMENTS,
        says="Retard du traitement des événements de Stripe",
        unit="s",
        metrics={
            "age": Metric(
                "AWS/SQS",
                "ApproximateAgeOfOldestMessage",
                (("QueueName", "GetAtt:StripeEventsQueue.QueueName"),),
                "Maximum",
            )
        },
        warning=Level(limit=300, datapoints=3, periods=5),
        critical=Level(limit=1800, datapoints=3, periods=5),
    ),
    _counted(
        "StripeRefundsUnfinished",
        "Remboursements demandés sans réponse de Stripe",
        "StripeRefundUnfinished",
        "remboursements",
        service=Service.PAYMENTS,
        period=_HOUR,
        warning=Level(limit=3),
    ),
    _counted(
        "StripeDaysDiffer",
        "Journées de Stripe différentes de nos livres",
        "StripeReconciliationDiffers",
        "journée",
        service=Service.PAYMENTS,
        period=_HOUR,
        critical=Level(limit=1),
    ),
    _counted(
        "StripeFactsMissed",
        "Faits de Stripe qu'aucun événement n'avait dits, trouvés la nuit",
        "StripeFactMissed",
        "fait",
        service=Service.PAYMENTS,
        period=_HOUR,
        warning=Level(limit=1),
    ),
    _missing(
        "StripeDaysMissing",
        "ScheduledReconcileStripeDaysFunction",
        "Les journées de Stripe ne sont plus rapprochées",
        Service.PAYMENTS,
        _DAY,
        Level(limit=1),
    ),
    _counted(
        "StripeEventsQueuedAgain",
        "Événements de Stripe inachevés après dix minutes",
        "StripeEventQueuedAgain",
        "événements",
        service=Service.PAYMENTS,
        period=900,
        warning=Level(limit=10),
    ),
    _missing(
        "StripeSweepsMissing",
        "ScheduledSweepStripeEventsFunction",
        "Plus personne ne cherche les événements de Stripe perdus",
        Service.PAYMENTS,
        1800,
        Level(limit=1),
    ),
    _errors(
        "CheckoutsErrors",
        "ScheduledCloseCheckoutsFunction",
        "La fermeture des pages de paiement échoue",
        Service.PAYMENTS,
        300,
        Level(limit=1, datapoints=2, periods=2),
    ),
    _counted(
        "CheckoutsNotClosed",
        "Pages de paiement de montants qui ne sont plus dus, que Stripe ne ferme pas",
        "CheckoutNotClosed",
        "page",
        service=Service.PAYMENTS,
        period=300,
        warning=Level(limit=1, datapoints=3, periods=3),
    ),
    _missing(
        "CheckoutsRunsMissing",
        "ScheduledCloseCheckoutsFunction",
        "Plus personne ne ferme les pages de paiement",
        Service.PAYMENTS,
        300,
        Level(limit=1, datapoints=2, periods=2),
    ),
    # ---- The path of alerts itself: what breaks there goes around it
    _silent(
        "AlertHeartbeatMissing",
        "Les alertes n'arrivent plus à ceux qui les envoient",
        _own("AlertHeartbeat"),
        "pulsation",
        service=Service.SUPERVISION,
        period=300,
        critical=Level(limit=1, datapoints=3, periods=3),
        topic="LastResortTopic",
    ),
    Indicator(
        name="AlertRouterErrors",
        service=Service.SUPERVISION,
        says="L'envoi des alertes échoue",
        unit="exécution en échec",
        metrics={
            "routing": _function("Errors", "OperationsRouteAlertFunction"),
            "running": _function("Errors", "ScheduledRunAlertsFunction"),
        },
        expressions={"failed": "FILL(routing, 0) + FILL(running, 0)"},
        period=300,
        critical=Level(limit=1),
        topic="LastResortTopic",
    ),
    _missing(
        "AlertRunsMissing",
        "ScheduledRunAlertsFunction",
        "Les alertes en attente ne sont plus envoyées",
        Service.SUPERVISION,
        300,
        Level(limit=1, datapoints=2, periods=2),
        topic="LastResortTopic",
    ),
    _counted(
        "AlertChannelsGivenUp",
        "Alertes qu'un canal (Slack, e-mail ou SMS) n'a pas prises après tous ses essais",
        "AlertChannelGivenUp",
        "alerte",
        service=Service.SUPERVISION,
        period=300,
        warning=Level(limit=1),
        topic="LastResortTopic",
    ),
    # ---- Webhooks of companies
    _counted(
        "WebhooksDead",
        "Webhooks abandonnés après tous leurs essais",
        "WebhookDead",
        "webhooks",
        service=Service.WEBHOOKS,
        period=_HOUR,
        warning=Level(limit=100),
    ),
    _errors(
        "WebhooksErrors",
        "ScheduledSendWebhooksFunction",
        "L'envoi des webhooks échoue",
        Service.WEBHOOKS,
        300,
        Level(limit=1, datapoints=2, periods=2),
    ),
    # ---- Mail
    *(
        Indicator(
            name=f"Mail{name}",
            service=Service.MAIL,
            says=says,
            unit="% des mails",
            metrics={"share": Metric("AWS/SES", f"Reputation.{metric}Rate", (), "Average")},
            expressions={"percent": "100 * share"},
            period=_HOUR,
            warning=Level(limit=limit / 2),
            critical=Level(limit=limit),
        )
        for name, says, metric, limit in (
            ("Bounces", "Mails revenus", "Bounce", 5),
            ("Complaints", "Mails signalés comme indésirables", "Complaint", 0.1),
        )
    ),
)

COMPOSITES: tuple[Composite, ...] = (
    Composite(
        name="ServiceDown",
        service=Service.API,
        says="Le service ne répond plus : le contrôle automatique échoue, ou l'API est à la fois lente et en erreur",
        rule="ALARM(CanaryPassesMissingCriticalAlarm) OR "
        "(ALARM(ApiErrorsCriticalAlarm) AND ALARM(ApiLatencyCriticalAlarm))",
    ),
)

# What grows before it rings: forecast each day, and told when it will reach the limit of its warning.
FORECAST = ("DatabaseCapacity", "FunctionConcurrency", "FunctionMemory", "FunctionDisk", "ApiLatency", "TableLatency")
