"""Codec: how an index lies on disk, as memory-mapped arrays.

    arrays      one file that holds named arrays, checksummed
    strings     many strings as arrays: look one up, or all with a prefix
    stored      the articles themselves, compressed one by one
    build       articles -> sorted runs -> one segment
    segment     a segment, open for reading: here is a term, give me its postings
    host        the same segment as Whoosh sees it

`segment` has the table of what a segment's file holds.
"""
