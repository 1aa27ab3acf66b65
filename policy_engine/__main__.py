"""`python -m policy_engine`."""

from policy_engine.entry import main

main()
