"""What may be between a word and the value that it announces: `MRN: 1`, `MRN number is 1`, `MRN #1`, `"mrn" = "1"`."""

GAP = (
    r"(?i:[\s\"')\]*]{0,3}(?:(?:no|nr|num|number|numbers|code|codes|block|id|ids|is|was|are|for|of|date|ist|lautet|est"
    r"|es|at|reads|und|and)\b[\s.:#=\"'(\[-]{0,4}|[.:#=/(\[-][\s\"'*]{0,2}){0,4})"
)
