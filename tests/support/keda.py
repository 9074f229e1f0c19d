"""KEDA's ScaledObject (keda.sh/v1alpha1) as its API has it, as far as we use it: what is not here is refused."""

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field


class _Part(BaseModel):
    # strict: Kubernetes takes no number where its API has a text, nor the other way round.
    model_config = ConfigDict(extra="forbid", strict=True)


class _Metadata(_Part):
    name: str = Field(pattern=r"^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$")


class _Target(_Part):
    apiVersion: str = "apps/v1"  # noqa: N815 - names of the API
    kind: str = "Deployment"
    name: str


class _Policy(_Part):
    type: Literal["Pods", "Percent"]
    value: int = Field(gt=0)
    periodSeconds: int = Field(gt=0, le=1800)  # noqa: N815


class _Direction(_Part):
    stabilizationWindowSeconds: int = Field(0, ge=0, le=3600)  # noqa: N815
    selectPolicy: Literal["Max", "Min", "Disabled"] = "Max"  # noqa: N815
    policies: list[_Policy] = []


class _Behavior(_Part):
    scaleDown: _Direction | None = None  # noqa: N815
    scaleUp: _Direction | None = None  # noqa: N815


class _Autoscaler(_Part):
    name: str | None = None
    behavior: _Behavior | None = None


class _Advanced(_Part):
    restoreToOriginalReplicaCount: bool = False  # noqa: N815
    horizontalPodAutoscalerConfig: _Autoscaler | None = None  # noqa: N815


class MetricsApi(_Part):
    """What the scaler `metrics-api` is told: all of it text."""

    url: str = Field(pattern=r"^https?://[a-z0-9.-]+(:\d+)?/")
    format: Literal["json", "xml", "yaml", "prometheus"] = "json"
    valueLocation: str = Field(min_length=1)  # noqa: N815
    targetValue: str = Field(pattern=r"^\d+(\.\d+)?$")  # noqa: N815
    activationTargetValue: str = Field("0", pattern=r"^\d+(\.\d+)?$")  # noqa: N815


class _Trigger(_Part):
    type: Literal["metrics-api"]
    name: str | None = None
    metricType: Literal["AverageValue", "Value"] = "AverageValue"  # noqa: N815
    useCachedMetrics: bool = False  # noqa: N815
    metadata: MetricsApi


class _Spec(_Part):
    scaleTargetRef: _Target  # noqa: N815
    pollingInterval: int = Field(30, gt=0)  # noqa: N815
    cooldownPeriod: int = Field(300, ge=0)  # noqa: N815
    minReplicaCount: int = Field(0, ge=0)  # noqa: N815
    maxReplicaCount: int = Field(100, gt=0)  # noqa: N815
    advanced: _Advanced | None = None
    triggers: list[_Trigger] = Field(min_length=1)


class ScaledObject(_Part):
    """A document of this kind."""

    apiVersion: Literal["keda.sh/v1alpha1"]  # noqa: N815
    kind: Literal["ScaledObject"]
    metadata: _Metadata
    spec: _Spec
