"""The command line: one file a command.

A command takes the parsed arguments and gives an exit status: 0 nothing at or above ``--fail-on``,
1 findings at or above it, 2 a wrong option or input that cannot be read.
"""
