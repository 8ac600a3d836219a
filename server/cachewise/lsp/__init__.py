"""The language server: the analysis in the words of the Language Server Protocol.

Only this package knows pygls and lsprotocol. It holds no knowledge of requests: each feature asks
``cachewise.analysis`` and turns the answer into protocol types.
"""
