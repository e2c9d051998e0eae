"""The admin UI and the office screen.

Built on `enroll` and on what all processes share. It holds no key and no database, never opens the camera
and never decodes a picture: what it shows and changes, the desk shows and changes for whoever is signed
in. The import contracts hold that.

`application` puts the site together, `server` serves it, `README.md` shows the parts of a page.
"""
