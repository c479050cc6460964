"""What every report says beside its figures."""

INDEX = (
    "the mean of two shares: of faces turned to the camera, and of expressions that are not neutral"
)
LIMITS = (
    "An expression is what a face looks like, not what somebody feels, thinks or means.",
    f"The engagement index is {INDEX}. It does not measure attention.",
    "Faces are told apart by where they are and how they move. Somebody who leaves and comes "
    "back, or is shown again after a cut, counts as a new face: one row may hold several people "
    "who pass each other, and one person several rows.",
    "Faces that are small, turned away, covered or badly lit may be missed or misjudged.",
    "Don't decide about a person by this report.",
)
