"""Enrolment: an act with consent. Pictures in, references out, or a reason why not.

Never enrols anybody by itself, and never decodes a picture itself: that is done by
whoever is handed in as `Embeds`, in the appliance the models process.

| Module | What |
|---|---|
| `consent` `names` | what people agree to; what is taken as a name |
| `files` `roster` | pictures and folders, a table of people: reading, and telling what cannot be read |
| `photos` | one picture by itself: which face, and why not |
| `likeness` | pictures beside each other and beside everybody enrolled |
| `cli` `adding` `importing` `changes` `merging` `ending` `reporting` | the commands |
| `keeping` `erasing` `uniting` | what commands and the desk share: keeping references, ending, merging |
| `asking` `telling` `describing` `outcomes` | options they share; how they say what became of it |
| `desk` | the desk process, and its operations about people |
"""
