"""What a reply proposes when several things are wrong at once mends all of them in one call."""

from __future__ import annotations

from itertools import combinations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from crossfade.core.app.views import first_cures
from crossfade.core.documents import JsonObject, patch_object
from crossfade.core.model.finding import Finding

from .examples import EXAMPLES, Example
from .railway import SPEC, World, findings_in

CURABLE = [x for x in EXAMPLES if x.severity.startswith("block") and x.cured_by and x.world==World()]

def blocks(document: JsonObject) -> list[Finding]:
    return [finding for finding in findings_in(document, World()) if finding.blocks]

def test_pairs():
    bad=0; n=0
    for a,b in combinations(CURABLE,2):
        doc=patch_object(patch_object(SPEC,a.fault),b.fault)
        found=blocks(doc)
        ids=first_cures(found)
        after=doc
        patches={f.id:f.patch for x in found for f in x.fixes}
        for i in ids: after=patch_object(after,patches[i])
        left=blocks(after)
        n+=1
        if left:
            bad+=1
            print(a.id,"+",b.id,"| found",[f.code for f in found],"|",ids,"| left",[(f.code,f.at,[x.effect for x in f.fixes]) for f in left])
    print(bad,n)
    assert not bad
