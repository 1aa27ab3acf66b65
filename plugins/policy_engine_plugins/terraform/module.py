"""What the files of one folder declare together, before anything is evaluated."""

from __future__ import annotations

from collections.abc import Sequence

from msgspec import Struct, field

from policy_engine.span import Span
from policy_engine.tree import Tree
from policy_engine.unit import Problem
from policy_engine_plugins.terraform import SUFFIXES
from policy_engine_plugins.terraform.files import Files
from policy_engine_plugins.terraform.syntax import Attribute, Block, Body, Fault, SyntaxTree

# Block types at the top of a file, with the number of labels each has.
_LABELS = {
    "resource": 2,
    "data": 2,
    "ephemeral": 2,
    "provider": 1,
    "module": 1,
    "variable": 1,
    "output": 1,
    "check": 1,
    "locals": 0,
    "terraform": 0,
    "moved": 0,
    "import": 0,
    "removed": 0,
}


class Module(Struct):
    """The declarations of a folder, by the name that references use for them (`aws_s3_bucket.logs`, `data.x.y`).

    `values` are what `terraform.tfvars` and `*.auto.tfvars` set.
    """

    folder: str
    resources: dict[str, Block] = field(default_factory=dict)
    providers: dict[str, Block] = field(default_factory=dict)
    calls: dict[str, Block] = field(default_factory=dict)
    settings: list[Block] = field(default_factory=list)
    variables: dict[str, Block] = field(default_factory=dict)
    outputs: dict[str, Block] = field(default_factory=dict)
    local_values: dict[str, Attribute] = field(default_factory=dict)
    values: dict[str, Attribute] = field(default_factory=dict)
    problems: list[Problem] = field(default_factory=list)


def configuration_files(folder: str, tree: Tree) -> list[str]:
    """The files that make a folder a module, variable files left aside."""
    prefix = f"{folder}/" if folder else ""
    return [prefix + name for name in tree.list(folder) if name.endswith(SUFFIXES)]


def configuration_of(path: str, tree: Tree) -> str | None:
    """The nearest folder with a configuration, from the one that a file is in upwards."""
    folder = path
    while folder:
        folder = folder.rpartition("/")[0]
        if configuration_files(folder, tree):
            return folder
    return None


def read_module(folder: str, paths: Sequence[str], tree: Tree, files: Files) -> Module:
    module = Module(folder)
    primary, overrides, values = _roles(paths)
    for path in primary:
        syntax = _read(path, tree, files, module)
        if syntax is not None:
            for block in syntax.body.blocks:
                _declare(module, block)
            _no_attributes(module, syntax)
    for path in overrides:
        syntax = _read(path, tree, files, module)
        if syntax is not None:
            for block in syntax.body.blocks:
                _override(module, block)
            _no_attributes(module, syntax)
    for path in values:
        syntax = _read(path, tree, files, module)
        if syntax is not None:
            module.values.update(syntax.body.attributes)
    return module


def _roles(paths: Sequence[str]) -> tuple[list[str], list[str], list[str]]:
    """Configuration files, overrides and variable files, each in the order in which Terraform reads them."""
    names = set(paths)
    primary: list[str] = []
    overrides: list[str] = []
    values: list[str] = []
    for path in sorted(paths):
        name = path.rpartition("/")[2]
        if name.endswith((".tfvars", ".tfvars.json")):
            values.append(path)
            continue
        # OpenTofu reads main.tofu in place of main.tf; Terraform knows no .tofu files.
        if name.endswith(".tf") and f"{path[:-3]}.tofu" in names:
            continue
        if name.endswith(".tf.json") and f"{path[:-8]}.tofu.json" in names:
            continue
        stem = name.removesuffix(".json").removesuffix(".tf").removesuffix(".tofu")
        (overrides if stem == "override" or stem.endswith("_override") else primary).append(path)
    values.sort(key=_order_of_values)
    return primary, overrides, values


def _order_of_values(path: str) -> tuple[bool, bool, str]:
    """`terraform.tfvars`, the same in JSON, then the automatic ones by name, whatever their syntax."""
    automatic = ".auto." in path.rpartition("/")[2]
    return automatic, not automatic and path.endswith(".json"), path


def _read(path: str, tree: Tree, files: Files, module: Module) -> SyntaxTree | None:
    parsed = files.read(path, tree)
    module.problems.extend(parsed.problems)
    return parsed.syntax


def _no_attributes(module: Module, syntax: SyntaxTree) -> None:
    for attribute in syntax.body.attributes.values():
        fault = Fault(attribute.start, attribute.name_end, "an attribute outside of any block")
        _tell(module, attribute, fault)


def _tell(module: Module, node: Block | Attribute, fault: Fault) -> None:
    span: Span = node.source.span(fault.start, fault.end)
    module.problems.append(Problem(node.source.path, fault.message, span))


def _blame(module: Module, block: Block, message: str) -> None:
    _tell(module, block, Fault(block.start, block.header_end, message))


def _declare(module: Module, block: Block) -> None:
    if not _is_well_formed(module, block):
        return
    names = [label.value for label in block.labels]
    match block.type:
        case "resource":
            _add(module, module.resources, ".".join(names), block)
        case "data" | "ephemeral":
            _add(module, module.resources, ".".join((block.type, *names)), block)
        case "provider":
            _add(module, module.providers, provider_name(block), block)
        case "module":
            _add(module, module.calls, names[0], block)
        case "variable":
            _add(module, module.variables, names[0], block)
        case "output":
            _add(module, module.outputs, names[0], block)
        case "terraform":
            module.settings.append(block)
        case "locals":
            for name, attribute in block.body.attributes.items():
                if name in module.local_values:
                    fault = Fault(attribute.start, attribute.name_end, f"local value '{name}' is declared twice")
                    _tell(module, attribute, fault)
                else:
                    module.local_values[name] = attribute
        case "check":
            for inner in block.body.blocks:
                if inner.type == "data":
                    _declare(module, inner)


def _is_well_formed(module: Module, block: Block) -> bool:
    wanted = _LABELS.get(block.type)
    if wanted is None:
        _blame(module, block, f"'{block.type}' is no kind of block that Terraform knows here")
        return False
    if len(block.labels) != wanted:
        _blame(module, block, f"a '{block.type}' block has {_count(wanted)}, not {len(block.labels)}")
        return False
    return True


def _count(labels: int) -> str:
    return ("no label", "one label", "two labels")[labels]


def provider_name(block: Block) -> str:
    """`aws`, or `aws.west` for an alias."""
    from policy_engine_plugins.terraform.syntax import Literal

    name = block.labels[0].value
    alias = block.body.attributes.get("alias")
    if alias is not None and isinstance(alias.expression, Literal) and isinstance(alias.expression.value, str):
        return f"{name}.{alias.expression.value}"
    return name


def _add(module: Module, declared: dict[str, Block], name: str, block: Block) -> None:
    if name in declared:
        _blame(module, block, f"{block.type} '{name}' is declared twice")
        # Still judged: nobody knows which of the two is meant.
        number = 2
        while f"{name}#{number}" in declared:
            number += 1
        name = f"{name}#{number}"
    declared[name] = block


def _override(module: Module, block: Block) -> None:
    """Merges a block of an override file into what it overrides, as Terraform does."""
    if not _is_well_formed(module, block):
        return
    names = [label.value for label in block.labels]
    declared: dict[str, Block]
    match block.type:
        case "resource":
            declared, name = module.resources, ".".join(names)
        case "data" | "ephemeral":
            declared, name = module.resources, ".".join((block.type, *names))
        case "provider":
            declared, name = module.providers, provider_name(block)
        case "module":
            declared, name = module.calls, names[0]
        case "variable":
            declared, name = module.variables, names[0]
        case "output":
            declared, name = module.outputs, names[0]
        case "locals":
            module.local_values.update(block.body.attributes)
            return
        case "terraform":
            module.settings.append(block)
            return
        case _:
            return
    base = declared.get(name)
    if base is None:
        _blame(module, block, f"there is no {block.type} '{name}' to override")
        declared[name] = block
        return
    declared[name] = _merged(base, block)


def _merged(base: Block, override: Block) -> Block:
    types = {_block_type(block) for block in override.body.blocks}
    kept = [block for block in base.body.blocks if _block_type(block) not in types or block.type == "lifecycle"]
    body = Body(
        {**base.body.attributes, **override.body.attributes},
        [*kept, *override.body.blocks],
        base.body.complete and override.body.complete,
    )
    return Block(base.type, base.labels, base.start, base.header_end, base.end, body, base.source)


def _block_type(block: Block) -> str:
    return block.labels[0].value if block.type == "dynamic" and block.labels else block.type
