"""The only part of Cachewise that uses the network, and only when the user asks for it.

``counting`` asks a provider how many tokens a request has, ``prices`` fetches a price list.
"""
