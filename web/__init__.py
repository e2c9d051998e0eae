"""The admin UI and the office screen.

Built on `enroll` and on what all processes share; it never opens the camera, decodes a
picture or holds the template key. The import contracts hold that from the first commit;
the pages themselves are not built yet.
"""
