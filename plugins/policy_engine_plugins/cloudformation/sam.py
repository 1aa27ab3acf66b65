"""SAM: what `Globals` add to its resources, and the plain resources that it makes of them.

Both are made of the nodes that are written, and remember where each of those stands: what is made is evaluated and
located like anything else.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from policy_engine.resource import AttributePath
from policy_engine_plugins.cloudformation.syntax import call_of

if TYPE_CHECKING:
    from policy_engine_plugins.cloudformation.stack import Declared

_PREFIX = "AWS::Serverless::"


class MadeMapping(dict[str, Any]):
    """A mapping put together from several places; `origins` says where the value of each key stands."""

    __slots__ = ("origins",)
    origins: dict[str, AttributePath]

    def __init__(self) -> None:
        super().__init__()
        self.origins = {}

    def put(self, key: str, node: Any, path: AttributePath) -> None:
        self[key] = node
        self.origins[key] = path


class MadeSequence(list[Any]):
    __slots__ = ("origins",)
    origins: list[AttributePath]

    def __init__(self) -> None:
        super().__init__()
        self.origins = []

    def put(self, node: Any, path: AttributePath) -> None:
        self.append(node)
        self.origins.append(path)


def place_of(node: Any, path: AttributePath, step: str | int) -> AttributePath:
    """Where an entry of a node stands, which itself stands at `path`."""
    if type(node) is MadeMapping or type(node) is MadeSequence:
        return node.origins[step]  # type: ignore[index]
    return (*path, step)


# -- globals


def with_globals(declared: Declared, shared: Mapping[str, Any]) -> None:
    """Merges the section's part for this type into the resource's properties: mappings are merged, lists put behind
    each other, and anything else is taken from the resource."""
    section = declared.type[len(_PREFIX) :]
    node = shared.get(section)
    own = declared.properties if declared.properties is not None else {}
    if isinstance(node, dict) and node and isinstance(own, dict) and call_of(own) is None:
        declared.properties = _merged(node, ("Globals", section), own, declared.properties_path)


def _merged(shared: Any, shared_path: AttributePath, own: Any, own_path: AttributePath) -> Any:
    if call_of(shared) is not None or call_of(own) is not None:
        return own
    if isinstance(shared, dict) and isinstance(own, dict):
        made = MadeMapping()
        for key, node in shared.items():
            if key in own:
                inner = (*own_path, key)
                merged = _merged(node, (*shared_path, key), own[key], inner)
                made.put(key, merged, inner)
            else:
                made.put(key, node, (*shared_path, key))
        for key, node in own.items():
            if key not in made:
                made.put(key, node, (*own_path, key))
        return made
    if isinstance(shared, list) and isinstance(own, list):
        items = MadeSequence()
        for nodes, path in ((shared, shared_path), (own, own_path)):
            for index, node in enumerate(nodes):
                items.put(node, (*path, index))
        return items
    return own


# -- plain resources

_FUNCTION = (
    *("Architectures", "CodeSigningConfigArn", "Description", "Environment", "EphemeralStorage", "FileSystemConfigs"),
    *("FunctionName", "Handler", "ImageConfig", "KmsKeyArn", "Layers", "LoggingConfig", "MemorySize", "PackageType"),
    *("RecursiveLoop", "ReservedConcurrentExecutions", "Role", "Runtime", "RuntimeManagementConfig", "SnapStart"),
    *("Timeout", "VpcConfig"),
)
_REST_API = (
    *("ApiKeySourceType", "BinaryMediaTypes", "Description", "DisableExecuteApiEndpoint", "MinimumCompressionSize"),
    *("Mode", "Name", "Policy"),
)
_REST_STAGE = (
    *("AccessLogSetting", "CacheClusterEnabled", "CacheClusterSize", "CanarySetting", "MethodSettings", "StageName"),
    *("TracingEnabled", "Variables"),
)
_DOMAIN = ("CertificateArn", "DomainName", "MutualTlsAuthentication", "SecurityPolicy")
_HTTP_API = ("CorsConfiguration", "Description", "DisableExecuteApiEndpoint", "Name")
_HTTP_STAGE = ("AccessLogSettings", "DefaultRouteSettings", "RouteSettings", "StageName")
_TABLE = ("PointInTimeRecoverySpecification", "ProvisionedThroughput", "SSESpecification", "TableName")
_RENAMED_MACHINE = {
    "Definition": "Definition",
    "DefinitionUri": "DefinitionUri",
    "Logging": "LoggingConfiguration",
    "Name": "StateMachineName",
    "Role": "RoleArn",
    "Tracing": "TracingConfiguration",
    "Type": "StateMachineType",
}


def plain_resources(declared: Declared) -> Iterator[Declared]:
    """What SAM makes of one of its resources, as far as its properties say; the rest (deployments, permissions, event
    sources) has nothing that is set here."""
    if not declared.type.startswith(_PREFIX):
        return
    given = declared.properties if declared.properties is not None else {}
    if not isinstance(given, dict) or call_of(given) is not None:
        return
    source = _Source(declared, given)
    kind = declared.type[len(_PREFIX) :]
    if kind == "Function":
        yield source.made("Function", "AWS::Lambda::Function", _function(source))
        if "Role" not in given:
            yield source.made("Role", "AWS::IAM::Role", _role(source, "lambda.amazonaws.com"))
        url = given.get("FunctionUrlConfig")
        if isinstance(url, dict) and call_of(url) is None:
            yield source.made("Url", "AWS::Lambda::Url", source.within("FunctionUrlConfig", tuple(url)))
    elif kind == "Api":
        yield source.made("RestApi", "AWS::ApiGateway::RestApi", _rest_api(source))
        yield source.made("Stage", "AWS::ApiGateway::Stage", source.taken(_REST_STAGE))
        domain = given.get("Domain")
        if isinstance(domain, dict) and call_of(domain) is None:
            yield source.made("Domain", "AWS::ApiGateway::DomainName", source.within("Domain", _DOMAIN))
    elif kind == "HttpApi":
        yield source.made("Api", "AWS::ApiGatewayV2::Api", source.taken(_HTTP_API))
        yield source.made("Stage", "AWS::ApiGatewayV2::Stage", source.taken(_HTTP_STAGE))
    elif kind == "SimpleTable":
        yield source.made("Table", "AWS::DynamoDB::Table", source.taken(_TABLE))
    elif kind == "StateMachine":
        yield source.made("StateMachine", "AWS::StepFunctions::StateMachine", source.taken(_RENAMED_MACHINE))
        if "Role" not in given:
            yield source.made("Role", "AWS::IAM::Role", _role(source, "states.amazonaws.com"))


class _Source:
    def __init__(self, declared: Declared, given: Mapping[str, Any]) -> None:
        self.declared = declared
        self.given = given

    def place(self, key: str) -> AttributePath:
        return place_of(self.given, self.declared.properties_path, key)

    def taken(self, names: Mapping[str, str] | tuple[str, ...]) -> MadeMapping:
        made = MadeMapping()
        for name in names:
            if name in self.given:
                target = names[name] if isinstance(names, Mapping) else name
                made.put(target, self.given[name], self.place(name))
        return made

    def within(self, key: str, names: tuple[str, ...]) -> MadeMapping:
        """Some of what stands in a mapping among the properties."""
        inner = MadeMapping()
        node, place = self.given[key], self.place(key)
        for name in names:
            if name in node:
                inner.put(name, node[name], place_of(node, place, name))
        return inner

    def made(self, part: str, type_: str, properties: MadeMapping) -> Declared:
        from policy_engine_plugins.cloudformation.stack import Declared

        origin = self.declared
        made = Declared(origin.id, type_, origin.node, origin.path, origin.scope)
        made.part = part
        made.properties = properties
        made.properties_path = origin.properties_path
        return made


def _nested(key: str, node: Any, path: AttributePath) -> MadeMapping:
    made = MadeMapping()
    made.put(key, node, path)
    return made


def _function(source: _Source) -> MadeMapping:
    made = source.taken(_FUNCTION)
    given = source.given
    if "Tracing" in given and given["Tracing"] != "Disabled":
        place = source.place("Tracing")
        made.put("TracingConfig", _nested("Mode", given["Tracing"], place), place)
    queue = given.get("DeadLetterQueue")
    if isinstance(queue, dict) and "TargetArn" in queue:
        place = source.place("DeadLetterQueue")
        inner = _nested("TargetArn", queue["TargetArn"], place_of(queue, place, "TargetArn"))
        made.put("DeadLetterConfig", inner, place)
    elif queue is not None:
        made.put("DeadLetterConfig", queue, source.place("DeadLetterQueue"))
    for name, key in (("InlineCode", "ZipFile"), ("ImageUri", "ImageUri")):
        if name in given:
            made.put("Code", _nested(key, given[name], source.place(name)), source.place(name))
    return made


def _rest_api(source: _Source) -> MadeMapping:
    made = source.taken(_REST_API)
    endpoint = source.given.get("EndpointConfiguration")
    if endpoint is not None:
        place = source.place("EndpointConfiguration")
        types = MadeSequence()
        if isinstance(endpoint, dict) and "Type" in endpoint:
            types.put(endpoint["Type"], place_of(endpoint, place, "Type"))
        else:
            types.put(endpoint, place)
        made.put("EndpointConfiguration", _nested("Types", types, place), place)
    return made


def _role(source: _Source, service: str) -> MadeMapping:
    made = MadeMapping()
    given, header = source.given, source.declared.path
    if "AssumeRolePolicyDocument" in given:
        made.put(
            "AssumeRolePolicyDocument", given["AssumeRolePolicyDocument"], source.place("AssumeRolePolicyDocument")
        )
    else:
        statement = {"Effect": "Allow", "Action": "sts:AssumeRole", "Principal": {"Service": service}}
        made.put("AssumeRolePolicyDocument", {"Version": "2012-10-17", "Statement": [statement]}, header)
    if "PermissionsBoundary" in given:
        made.put("PermissionsBoundary", given["PermissionsBoundary"], source.place("PermissionsBoundary"))
    if "Policies" not in given:
        return made
    place = source.place("Policies")
    written = given["Policies"]
    managed, inline = MadeSequence(), MadeSequence()
    whole = isinstance(written, list) and call_of(written) is None
    items = written if whole else [written]
    for index, node in enumerate(items):
        where = place_of(written, place, index) if whole else place
        if isinstance(node, dict) and call_of(node) is None:
            if "Statement" in node:
                # SAM's own templates of policies name a purpose and never allow more than that.
                inline.put(_nested("PolicyDocument", node, where), where)
        elif node is not None:
            managed.put(node, where)
    if managed:
        made.put("ManagedPolicyArns", managed, place)
    if inline:
        made.put("Policies", inline, place)
    return made
