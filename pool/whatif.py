"""What if: a change tried on a copy of the tree as it stands, with T and deficits of every node before and after."""

from __future__ import annotations

from sqlalchemy.orm import Session

from core.errors import NotFound, Refused
from pool.acting import NOT_HERE
from pool.forest import Partition, load_tree, vacancies
from pool.ledger import NO_PURPOSE, parse_posts
from pool.tree import WhatIf, if_abolished, if_cut, if_merged, if_recalled, if_reparented, what_if


def what_if_cut(session: Session, partition: Partition, node_id: str, posts: object) -> WhatIf:
    """Quota of a node falls: vacant posts go first, what is more becomes excess. Errors: NotFound, InputRejected."""
    tree = _tree(session, partition, node_id)
    vacant = vacancies(session, partition).get(node_id, 0)
    return what_if(tree, if_cut(tree, node_id, parse_posts(posts), vacant))


def what_if_recalled(session: Session, partition: Partition, lender: str, borrower: str, posts: object) -> WhatIf:
    """Lent posts leave the borrower and go home to the lender. Errors: as `what_if_cut`."""
    tree = _tree(session, partition, lender, borrower)
    return what_if(tree, if_recalled(tree, lender, borrower, parse_posts(posts)))


def what_if_reparented(session: Session, partition: Partition, node_id: str, parent_id: str) -> WhatIf:
    """A node with all below it hangs under another. Errors: NotFound; Refused for a loop."""
    tree = _tree(session, partition, node_id, parent_id)
    return what_if(tree, if_reparented(tree, node_id, parent_id))


def what_if_merged(session: Session, partition: Partition, node_id: str, into_id: str) -> WhatIf:
    """A node's posts and children go to another. One's vacancies cover the other's excess. Errors: as `what_if_cut`."""
    tree, vacant = _tree(session, partition, node_id, into_id), vacancies(session, partition)
    if node_id == into_id:
        raise Refused("不能并入自己。", answer="SAME_NODE")
    apart = [vacant.get(node_id, 0), vacant.get(into_id, 0)]
    own = tree[node_id].own + tree[into_id].own - sum(min(posts, 0) for posts in apart) + min(sum(apart), 0)
    return what_if(tree, if_merged(tree, node_id, into_id, own))


def what_if_abolished(session: Session, partition: Partition, node_id: str) -> WhatIf:
    """A node is gone with what it owns or owes. Errors: NotFound; Refused while nodes stand below it."""
    tree = _tree(session, partition, node_id)
    return what_if(tree, if_abolished(tree, node_id))


def _tree(session: Session, partition: Partition, *nodes: str):
    tree = load_tree(session, partition, NO_PURPOSE)
    if not set(nodes) <= set(tree):
        raise NotFound(NOT_HERE)
    return tree
