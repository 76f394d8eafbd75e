"""The documentation that the studio serves: Markdown as pages, their order, looking for words.

Pure. Reads the files of docs/ and the documents beside it, writes nothing, knows no request.
"""
