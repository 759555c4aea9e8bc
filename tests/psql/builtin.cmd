\dT pg_catalog.int*
\dT+ pg_catalog.int*
\do + int
\do+ pg_catalog.<@
\do+ pg_catalog.+ int4 int4
\da pg_catalog.sum
\da+ pg_catalog.sum
\da count
\dc+ pg_catalog.utf8_to_iso_8859_1
\dA+
\dF
\dFd english*
\dFd+ simple
\dFp
\dFt
\dFt+
\df+ pg_catalog.int4pl
\dFp+
\dL
\dL+
\dLS
\dx
\dx+ plpgsql
\do pg_catalog.*
\da pg_catalog.*
\dT+ pg_catalog.*
\dFd
