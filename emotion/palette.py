"""The colour of each emotion, in pictures and reports.

People with red-green blindness tell them apart (Okabe and Ito 2008, "Color Universal Design").
"""

from emotion.labels import Emotion

COLOURS = {
    Emotion.ANGRY: "#D55E00",
    Emotion.DISGUST: "#009E73",
    Emotion.FEAR: "#CC79A7",
    Emotion.HAPPY: "#F0E442",
    Emotion.SAD: "#0072B2",
    Emotion.SURPRISE: "#E69F00",
    Emotion.NEUTRAL: "#56B4E9",
}
