"""What Anthropic's prompt-caching page of autumn 2025 says, sentence by sentence, as tests.

Each test names the section and says in its own words what it holds the project to. Where the page
has been revised since, the test says so and follows the rule in force.
"""
