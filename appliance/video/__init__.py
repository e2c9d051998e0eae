"""Video: a camera's packets cut into fragments, kept as sealed clips, played, sent to Kinesis Video Streams.

`fragment` has the values that all parts hand to each other. `h264` reads what a camera's stream says of
itself; `matroska` writes a fragment and `strict_matroska` reads it back, as strictly as the service does;
`mp4` and `playlists` are what browsers play. Nothing here decodes a picture to look at it, and no key is held
here: sealing is handed in.
"""
