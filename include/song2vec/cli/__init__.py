"""The command line, on Typer and Rich: everything a task does, by the same functions, without Airflow.

- `main`: the program: its commands in groups, its exit codes
- `data`, `model`, `store`, `channels`, `pipeline`: the commands, each a function of the settings and its options that
  returns a record
- `command`: how every command runs, and how its help is made
- `options`: the options that several commands have
- `deployment`: the database, the model store and the key that a command line names
- `show`: a record as text and tables for people
- `frames`: a record as a data frame, for CSV and Excel
- `output`: prints or writes either
"""
