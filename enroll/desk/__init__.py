"""The desk's operations about people, and the desk as a process.

`appliance.app.desk` says what an operation is and knows those about the log, the settings and operators;
here they are introduced to each other.
"""
