"""What schemathesis does not know by itself: that NDJSON, the body of a batch, is sent as text."""

import schemathesis

schemathesis.serializer.alias("application/x-ndjson", "text/plain")
