"""The desk: the process that carries out what admins and screens ask for.

It holds keys and database so that web holds neither; web, and nobody else, talks to it over its socket.
`operations` says what may be asked and by whom; each further module is one subject's operations.
Operations about people are in `enroll.desk`, which introduces all of them and is the process.
"""
