// Stands in for the Python extension, which only Microsoft's marketplace has: the part of its
// public interface that Cachewise uses. The first environment is the one that STAND_IN_PYTHON
// names; the command switches to the one of STAND_IN_PYTHON_2.
const vscode = require("vscode");

exports.activate = (context) => {
  const changed = new vscode.EventEmitter();
  let path = process.env.STAND_IN_PYTHON;
  context.subscriptions.push(
    vscode.commands.registerCommand("standInPython.switch", () => {
      path = process.env.STAND_IN_PYTHON_2;
      changed.fire({ id: path, path, resource: undefined });
    }),
  );
  return {
    ready: Promise.resolve(),
    environments: {
      getActiveEnvironmentPath: () => ({ id: path, path }),
      resolveEnvironment: async (one) => ({
        id: one.id,
        path: one.path,
        executable: { uri: vscode.Uri.file(one.path) },
      }),
      onDidChangeActiveEnvironmentPath: changed.event,
    },
  };
};
