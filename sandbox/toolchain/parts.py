"""Which parts make up the toolchain, in the order in which they are best started."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from sandbox.config import Config
from sandbox.toolchain.azurecli import AzureCliStep
from sandbox.toolchain.charts import ChartStep
from sandbox.toolchain.debian import DebianStep
from sandbox.toolchain.go import GoStep
from sandbox.toolchain.images import SystemImagesStep
from sandbox.toolchain.npm import NpmStep
from sandbox.toolchain.pulumi import PulumiStep
from sandbox.toolchain.pythonimage import PythonImageStep
from sandbox.toolchain.step import EntryStep, Step
from sandbox.toolchain.versions import Versions
from sandbox.toolchain.wheelhouse import WheelhouseStep

PROJECT = Path(__file__).resolve().parents[2]


@dataclass(frozen=True)
class Parts:
    debian: DebianStep
    go: dict[str, GoStep]
    charts: dict[str, ChartStep]
    azure_cli: AzureCliStep
    npm: NpmStep
    wheelhouse: WheelhouseStep
    python_image: PythonImageStep
    images: SystemImagesStep

    @property
    def steps(self) -> list[Step]:
        """The longest build first, so that the short ones fill the time beside it."""
        go = self.go
        first = [go["kubernetes"], self.debian, self.azure_cli, self.npm, self.wheelhouse, self.python_image]
        built = [step for name, step in go.items() if name != "kubernetes"]
        return [*first, *built, *self.charts.values(), self.images]

    @property
    def entries(self) -> list[EntryStep]:
        return [step for step in self.steps if isinstance(step, EntryStep)]


def parts(config: Config, versions: Versions) -> Parts:
    cache, images = config.cache, versions.images
    go: dict[str, GoStep] = {
        name: (PulumiStep if name == "pulumi" else GoStep)(cache, label=name, module=module)
        for name, module in versions.go.items()
    }
    debian = DebianStep(cache, packages=versions.debian.packages)
    python_image = PythonImageStep(
        cache, (debian.name,), image=images.python, suite=images.suite, packages=images.packages
    )
    in_cluster = {"coredns": images.coredns, "metrics-server": images.metrics_server}
    return Parts(
        debian=debian,
        go=go,
        charts={name: ChartStep(cache, label=name, chart=chart) for name, chart in versions.charts.items()},
        azure_cli=AzureCliStep(cache, wanted=versions.python.azure_cli),
        npm=NpmStep(cache, wanted=versions.npm),
        wheelhouse=WheelhouseStep(
            cache,
            project=PROJECT,
            pip=versions.python.pip,
            python=versions.requires.python,
            packages=versions.images.application,
        ),
        python_image=python_image,
        images=SystemImagesStep(
            cache,
            (debian.name, *in_cluster, python_image.name),
            pause=images.pause,
            programs_of={
                image.format(version=go[name].version): go[name].entry.path / "bin" / name
                for name, image in in_cluster.items()
            },
            others={python_image.image: python_image.archive},
        ),
    )
