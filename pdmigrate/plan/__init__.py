"""What will be done: kinds, ledger, actions, questions and answers, three-way merge, guards. Values and rules, no I/O."""
