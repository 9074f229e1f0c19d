"""How people say what the demo model can do: phrasings that it learned, and others that only tests use."""

from collections.abc import Mapping, Sequence
from typing import Final

#: What stands where a phrasing says {it}; in training also a word that means nothing.
THINGS: Final = (
    "it", "this", "the photo", "the picture", "the image", "this photo", "this picture", "the whole picture",
    "everything", "the photograph", "the scene", "this image", "my photo",
)  # fmt: skip

#: A whole instruction around a phrasing; {Do} begins with a capital.
FRAMES: Final = (
    "{do}", "{Do}.", "{Do}", "please {do}", "Please {do}.", "{Do}, please.", "can you {do}?", "Could you {do}?",
    "I want you to {do}.", "Now {do}.", "{Do}!", "just {do}", "I would like you to {do}", "Let us {do}.",
)  # fmt: skip

#: How two edits are named together.
PAIRS: Final = (
    "make {it} {a} and {b}", "make {it} {a}, and also {b}", "make {it} {a} and then make {it} {b}", "{a} and {b}",
    "turn {it} {a} and make {it} {b}", "I want {it} {a} and {b}", "make {it} both {a} and {b}",
)  # fmt: skip

_HUED: Final = (
    "make {it} {hue}", "turn {it} {hue}", "colour {it} {hue}", "color {it} {hue}", "paint {it} {hue}",
    "paint {it} in {hue}", "tint {it} {hue}", "give {it} a {hue} tint", "make {it} all {hue}", "change {it} to {hue}",
    "dye {it} {hue}", "make {it} look {hue}", "show {it} in {hue}", "make a {hue} version of {it}",
    "add a {hue} filter", "use {hue} tones", "I want {it} {hue}", "{hue} please", "{hue}",
    "make {it} completely {hue}", "bathe {it} in {hue} light", "change the colour of {it} to {hue}",
)  # fmt: skip

#: Phrasings by the name of their edit (worker.models.demo.edits).
LEARNED: Final[Mapping[str, Sequence[str]]] = {
    **{name: tuple(phrase.replace("{hue}", name) for phrase in _HUED) for name in ("red", "green", "blue")},
    "keep": (
        "keep {it} as it is", "leave {it} as it is", "do not change {it}", "do nothing", "change nothing",
        "keep {it} unchanged", "leave {it} alone", "keep {it}", "leave {it} untouched", "no edit", "no change",
        "make no changes", "don't change anything", "keep everything the same", "give {it} back as it was",
    ),
    "grey": (
        "make {it} grey", "make {it} gray", "turn {it} grey", "turn {it} black and white",
        "make {it} black and white", "convert {it} to grayscale", "convert {it} to greyscale", "make {it} monochrome",
        "remove the colours", "remove all colour from {it}", "take the colour out of {it}", "desaturate {it}",
        "show {it} in black and white", "grayscale", "a black and white photo", "drain the color from {it}",
        "remove the color",
    ),
    "sepia": (
        "make {it} sepia", "turn {it} sepia", "apply a sepia tone", "give {it} a sepia tone", "sepia",
        "make {it} look old", "make {it} look like an old photo", "give {it} a vintage look", "add a sepia filter",
        "age {it}", "make {it} look vintage", "use sepia tones", "convert {it} to sepia",
        "turn {it} into an old photograph",
    ),
    "invert": (
        "invert {it}", "invert the colours", "invert the colors of {it}", "make a negative of {it}", "negative",
        "turn {it} into a negative", "show the negative of {it}", "reverse the colours", "swap light and dark",
        "make {it} look like a film negative", "make {it} negative", "flip the colours", "invert all colors",
    ),
    "brighter": (
        "make {it} brighter", "brighten {it}", "brighten {it} up", "make {it} lighter", "lighten {it}",
        "add more light", "increase the brightness", "turn up the brightness", "raise the exposure", "more light",
        "brighter", "make {it} bright", "light {it} up", "increase the exposure of {it}",
    ),
    "darker": (
        "make {it} darker", "darken {it}", "make {it} dark", "reduce the brightness", "lower the exposure",
        "less light", "turn down the brightness", "darker", "decrease the brightness of {it}", "dim the light",
        "dim {it}", "make {it} dimmer", "take away light", "make {it} look like night",
    ),
    "vivid": (
        "make {it} more vivid", "make {it} vivid", "make {it} more colourful", "make the colours stronger",
        "increase the saturation", "saturate {it}", "boost the colours", "more vivid", "make the colors pop",
        "turn up the saturation", "make {it} more colorful", "intensify the colours", "more saturation",
        "make the colours of {it} more intense", "boost the saturation",
    ),
    "warmer": (
        "make {it} warmer", "warm {it} up", "make {it} warm", "give {it} warmer colours",
        "use a warmer white balance", "add warmth", "warmer", "make the light warmer", "give {it} a warm tone",
        "warm the colours", "raise the colour temperature", "make {it} feel warm", "use warm tones",
    ),
    "cooler": (
        "make {it} cooler", "cool {it} down", "make {it} cool", "give {it} cooler colours",
        "use a cooler white balance", "make {it} colder", "cooler", "make the light colder", "give {it} a cold tone",
        "cool the colours", "lower the colour temperature", "make {it} feel cold", "use cool tones",
    ),
    "mirror": (
        "mirror {it}", "mirror {it} left to right", "flip {it} horizontally", "flip {it} left to right",
        "mirror left-right", "swap left and right", "make a mirror image of {it}", "reflect {it} horizontally",
        "turn {it} around left to right", "flip {it}", "mirror image", "flip {it} sideways", "show {it} in a mirror",
        "horizontal flip",
    ),
    "blur": (
        "blur {it}", "make {it} blurry", "make {it} blurred", "make {it} softer", "soften {it}",
        "put {it} out of focus", "make {it} out of focus", "add a blur", "apply a gaussian blur", "smooth {it}",
        "blur", "blur everything", "take {it} out of focus", "defocus {it}",
    ),
    "outline": (
        "draw the outlines", "draw the outlines of {it}", "outline {it}", "show only the edges",
        "make a line drawing of {it}", "turn {it} into a line drawing", "turn {it} into a sketch",
        "make {it} a pencil sketch", "sketch {it}", "show the edges of {it}", "draw {it} as lines",
        "make a drawing of {it}", "find the edges", "trace the outlines", "only outlines",
    ),
}  # fmt: skip

#: Phrasings that training never saw, for tests: three of each.
HELD_OUT: Final[Mapping[str, Sequence[str]]] = {
    "keep": ("Leave the picture just as it is.", "please keep this photo the same", "Do not edit the image."),
    "red": (
        "Give this photo a red look.", "make everything in the picture red, please", "Could you dye all of it red?",
    ),
    "green": (
        "Give this photo a green look.", "make everything in the picture green, please", "Put a green filter on it.",
    ),
    "blue": ("Give this photo a blue look.", "make everything in the picture blue, please", "Tint all of it blue."),
    "grey": ("Turn the scene gray.", "Make this a black and white image, please.", "take all the colours out"),
    "sepia": ("Give this photo sepia tones.", "let it look like a vintage photograph", "Make the image a sepia one."),
    "invert": ("Invert the photograph's colours, please.", "I want a negative of this image", "Swap dark and light."),
    "brighter": (
        "Give the photo more brightness.", "please make the scene a bit brighter", "Make this image much lighter.",
    ),
    "darker": (
        "Give the photo less brightness.", "please make the scene a bit darker", "Make this image much darker.",
    ),
    "vivid": (
        "Give the photo more saturation.", "please make the scene a lot more vivid", "Make all colours more intense.",
    ),
    "warmer": ("Give the photo a warmer tone.", "please make the scene a bit warmer", "Use warmer light."),
    "cooler": ("Give the photo a cooler tone.", "please make the scene a bit cooler", "Use colder light."),
    "mirror": (
        "Flip the scene from left to right.", "please mirror this photo for me", "Reflect the photo left to right.",
    ),
    "blur": (
        "Give the photo a blur.", "please make the scene a lot more blurry", "Put all of this image out of focus.",
    ),
    "outline": ("Draw only the edges of the scene.", "please turn this into a pencil drawing", "Sketch the outlines."),
}  # fmt: skip

#: Of these, what the shipped weights take for something else (they know only to reflect horizontally), and what tests
#: of anything but phrasings say instead; training never saw that either.
MISUNDERSTOOD: Final[Mapping[str, str]] = {
    "Reflect the photo left to right.": "Turn the photograph into its mirror image, please.",
}

#: Words of instructions that it cannot follow; what they ask for is left undone.
UNKNOWN: Final = (
    "add a hat", "remove the background", "put the subject on a beach", "make the person smile", "add a cat",
    "add snow", "replace the car with a bicycle", "change the text to hello", "put a tree behind the house",
    "remove the man", "make her wear sunglasses", "add clouds to the sky", "put a flower on the table",
    "turn the dog into a horse", "add a boat on the water", "zoom in on the face", "rotate the cup",
    "give him a beard", "write my name on the wall", "remove the people from the street", "make the building taller",
    "add a window", "open the door", "add two birds", "put it on a wooden table", "change the clothes",
    "make the cat sleep", "add a moon and some stars", "put the cup on the left", "remove the woman on the right",
    "move the car to the left", "add a dog to the right of the tree", "add a red hat", "remove the text",
    "add sunglasses",
)  # fmt: skip
