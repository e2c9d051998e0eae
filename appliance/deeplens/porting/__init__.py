"""Making a function of Python 2.7 run under Python 3, line by line. Imports nothing else of the appliance."""
