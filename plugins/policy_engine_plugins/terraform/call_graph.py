"""Which folders are modules of their own, and which are called by others: from the `source` of their calls alone.

OpenTofu's sources may be made of variables and locals. They are known for a folder that nobody calls with a source that
is written out: its variables have the values that a scan knows. What a called module computes depends on its callers;
the folder that this leads to counts as called by nobody, and so is judged on its own as well.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from policy_engine.tree import FileTooLarge, Tree, join
from policy_engine_plugins.terraform import is_variables_file
from policy_engine_plugins.terraform.call import NotFollowed, is_local, source_of
from policy_engine_plugins.terraform.files import Files
from policy_engine_plugins.terraform.given import add_values
from policy_engine_plugins.terraform.instance import ModuleInstance
from policy_engine_plugins.terraform.manifest import Manifest, manifest_path, read_manifest
from policy_engine_plugins.terraform.module import configuration_files, read_module
from policy_engine_plugins.terraform.syntax import Attribute, Literal
from policy_engine_plugins.terraform.workspace import Workspace

MAX_CALLS = 5000


class CallGraph:
    """`var_files` and `environment` are values given for root modules, as `load.load` takes them."""

    def __init__(
        self,
        folders: Iterable[str],
        tree: Tree,
        files: Files,
        var_files: Sequence[tuple[str, bytes]] = (),
        environment: Mapping[str, str] | None = None,
    ) -> None:
        self.folders = sorted(folders)
        self._tree = tree
        self._files = files
        self._given = (var_files, environment or {})
        self._calls: dict[str, dict[str, str]] = {}
        self._open: dict[str, dict[str, Attribute]] = {}
        for folder in self._uncalled():
            self._compute(folder)

    def roots(self) -> list[str]:
        """Folders that no other calls; of folders that only call each other in a circle, the first."""
        roots = self._uncalled()
        reached = self._reached(roots)
        for folder in self.folders:
            if folder not in reached:
                roots.append(folder)
                reached |= self._reached([folder])
        return sorted(roots)

    def _uncalled(self) -> list[str]:
        called: set[str] = set()
        for folder in self.folders:
            called.update(found for found in self._local_calls(folder) if found != folder)
        return [folder for folder in self.folders if folder not in called]

    def _reached(self, roots: Sequence[str]) -> set[str]:
        reached = set(roots)
        waiting = list(roots)
        while waiting:
            for folder in self._local_calls(waiting.pop()):
                if folder not in reached:
                    reached.add(folder)
                    waiting.append(folder)
        return reached

    def paths(self, root: str) -> list[str]:
        """The files of all modules that a root calls, itself left aside, with the list of installed modules."""
        manifest: Manifest | None = None
        seen: set[tuple[str, str]] = {(root, "")}
        waiting = [(root, "")]
        paths: set[str] = set()
        while waiting and len(seen) < MAX_CALLS:
            folder, prefix = waiting.pop()
            for name, source in self._all_calls(folder).items():
                key = f"{prefix}{name}"
                if is_local(source):
                    inner = join(folder, source)
                else:
                    if manifest is None:
                        manifest = read_manifest(root, self._tree)
                    inner = manifest.folder(key, source)
                # A circle of calls goes round once; the evaluation tells it.
                if inner is None or inner == root or (inner, f"{key}.") in seen or prefix.count(".") > 20:
                    continue
                seen.add((inner, f"{key}."))
                waiting.append((inner, f"{key}."))
                paths.update(configuration_files(inner, self._tree))
        if manifest is not None and self._tree.is_file(manifest_path(root)):
            paths.add(manifest_path(root))
        return sorted(paths)

    def _local_calls(self, folder: str) -> list[str]:
        found = (join(folder, source) for source in self._all_calls(folder).values() if is_local(source))
        return [called for called in found if called is not None]

    def _compute(self, root: str) -> None:
        """Adds the calls of a root whose sources are computed."""
        self._all_calls(root)
        computed = self._open.pop(root, None)
        if not computed:
            return
        paths = configuration_files(root, self._tree)
        prefix = f"{root}/" if root else ""
        paths.extend(prefix + name for name in self._tree.list(root) if is_variables_file(name))
        declarations = read_module(root, paths, self._tree, self._files)
        add_values(declarations, *self._given, self._files)
        module = ModuleInstance(declarations, Workspace(root, self._tree, self._files))
        for name, attribute in computed.items():
            try:
                self._calls[root][name] = source_of(module, attribute)
            except NotFollowed:
                continue  # the evaluation tells it

    def _all_calls(self, folder: str) -> dict[str, str]:
        """The sources of a folder's calls by name, where they are known."""
        known = self._calls.get(folder)
        if known is None:
            paths = configuration_files(folder, self._tree)
            known = self._calls[folder] = {}
            if any(self._mentions_module(path) for path in paths):
                for name, block in read_module(folder, paths, self._tree, self._files).calls.items():
                    source = block.body.attributes.get("source")
                    if source is not None and isinstance(source.expression, Literal):
                        known[name] = str(source.expression.value)
                    elif source is not None:
                        self._open.setdefault(folder, {})[name] = source
        return known

    def _mentions_module(self, path: str) -> bool:
        """Whether it is worth parsing: most files call nothing."""
        try:
            data = self._tree.read(path)
        except (OSError, FileTooLarge):
            return False
        return b"module" in data and b"source" in data
