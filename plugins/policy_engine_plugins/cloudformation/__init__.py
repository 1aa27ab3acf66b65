"""AWS CloudFormation and SAM templates, in YAML or JSON."""

from __future__ import annotations

from typing import TYPE_CHECKING

from policy_engine.format import Format
from policy_engine.hookspecs import hookimpl

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from policy_engine.tree import Tree
    from policy_engine.unit import Comment, Loaded, Unit


class CloudFormationFormat(Format):
    """Resources are what the stack would hold, after conditions, loops, SAM's globals and nested stacks.

    type     as the template says (`AWS::S3::Bucket`); besides, each `parameter` and `output` of the template, which
             have their own name under `cfn:Name`
    address  the logical id, `Network/Vpc` in a nested stack; `parameter.Name` and `output.Name`
    name     the logical id, or the construct's path in what the CDK has synthesised
    value    the properties, evaluated. `AWS::NoValue` leaves nothing behind. Texts that are a boolean in any case
             ("True") are that boolean, as CloudFormation converts them. What stands beside the properties is under
             keys that no property can have: `cfn:DeletionPolicy`, `cfn:UpdateReplacePolicy`, `cfn:DependsOn`,
             `cfn:Metadata`, `cfn:Condition`, `cfn:CreationPolicy`, `cfn:UpdatePolicy`.

    A resource whose condition is known to be false is not there; one whose condition is not known is. The value of
    `Fn::Base64` is the text before it is encoded. A parameter that is declared with `NoEcho` is unknown even where it
    has a default, and refers to the parameter's address.

    A SAM resource has its own type and, beside it, the plain resources that SAM makes of it, with the addresses SAM
    lets templates refer to or would: `Api.Stage`, `Handler.Function`, `Handler.Role`. Rules name the plain types.

    Where a macro rewrites the template, what is written is judged and what is not written is unknown.
    """

    name = "cloudformation"
    title = "CloudFormation"
    example_path = "template.yaml"

    def claims(self, path: str) -> bool:
        return path.lower().endswith((".yaml", ".yml", ".json", ".template")) and "/.github/" not in f"/{path}"

    def recognises(self, path: str, data: bytes) -> bool:
        # Most YAML and JSON files of a repository leave here.
        hinted = b"AWSTemplateFormatVersion" in data or (b"Resources" in data and b"::" in data)
        if not hinted and not data.startswith((b"\xff\xfe", b"\xfe\xff")):
            return False
        from policy_engine_plugins.cloudformation.recognition import recognises

        return recognises(data)

    def units(self, paths: Sequence[str], tree: Tree) -> Iterable[Unit]:
        """One for each template that no other one of `paths` nests, with the files of all that it nests."""
        from policy_engine.unit import Unit
        from policy_engine_plugins.cloudformation.nesting import NestingGraph

        graph = NestingGraph(paths, tree)
        for path in graph.roots():
            yield Unit(self.name, path, tuple(sorted({path, *graph.nested(path)})))

    def load(self, unit: Unit, tree: Tree) -> Loaded:
        from policy_engine_plugins.cloudformation.load import load

        return load(unit, tree)

    def comments(self, path: str, data: bytes) -> Iterable[Comment]:
        from policy_engine.yaml_document import comments

        # JSON has none, though YAML's reader would see some in it.
        return () if data.lstrip()[:1] == b"{" and path.lower().endswith(".json") else comments(data, path)


@hookimpl
def register_formats() -> list[Format]:
    return [CloudFormationFormat()]
