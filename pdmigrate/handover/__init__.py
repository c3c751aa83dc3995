"""What a person must do, because Harness has no API for it: listed, filed, ticked off.

`planned`, `people` and `services` say what there is to do, `sheets` writes the files to work from, `ticks` says what is
left and who did what, `folder` puts it all into a run's folder.
"""
