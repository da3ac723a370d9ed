"""The things the model can draw: one emoji each, named by Unicode CLDR."""

import xml.etree.ElementTree as ElementTree
from dataclasses import dataclass
from functools import cache

ANNOTATIONS = "/usr/share/unicode/cldr/common/annotations/en.xml"

# An emoji and the everyday word people type for it.
EMOJI = """
🍎 apple|🍊 orange|🍋 lemon|🍌 banana|🍉 watermelon|🍇 grapes|🍓 strawberry|🍒 cherries
🍍 pineapple|🥝 kiwi|🥑 avocado|🥕 carrot|🌽 corn|🍆 aubergine|🥦 broccoli|🍄 toadstool
🍞 loaf of bread|🧀 cheese|🍔 burger|🍕 pizza|🍩 donut|🍪 cookie|🎂 cake|🍦 ice cream
🍭 candy|☕ coffee|🍺 beer|🍟 fries|🐶 dog|🐱 cat|🐰 bunny|🦊 fox
🐻 bear|🐼 panda|🐯 tiger|🦁 lion|🐷 pig|🐸 frog|🐵 monkey|🐔 chicken
🐧 penguin|🦉 owl|🐢 turtle|🐙 octopus|🦀 crab|🐠 fish|🐳 whale|🐘 elephant
🦋 butterfly|🐝 bee|🐞 ladybug|🐌 snail|🦆 duck|🌻 sunflower|🌹 rose|🌷 tulip
🌵 cactus|🌲 tree|🌴 palm|🍁 leaf|🍀 clover|⭐ star|☀ sun|🌙 moon
🔥 flame|💧 drop of water|❄ snowflake|🌈 rainbow|🌍 planet earth|🚗 car|🚌 bus|🚒 fire truck
🚜 tractor|🚲 bike|✈ plane|🚀 rocket|⛵ boat|🚂 train|🚁 helicopter|⚽ football
🏀 basketball|🎈 balloon|🎁 present|🎸 guitar|🎺 trumpet|🥁 drum|📷 camera|📺 tv
☎ phone|💡 lamp|🔑 key|☂ umbrella|👑 crown|🎩 hat|👟 shoe|👕 shirt
🏠 house|🪑 chair|⏰ clock|🎃 pumpkin
"""

WITHOUT_ARTICLE = {"grapes", "cherries", "fries", "french fries", "broccoli", "cheese", "corn",
                   "bread", "fire", "candy", "coffee", "beer", "ice cream"}
IRREGULAR_PLURALS = {"ear of corn": "ears of corn", "loaf of bread": "loaves of bread",
                     "drop of water": "drops of water", "leaf": "leaves", "maple leaf": "maple leaves",
                     "four leaf clover": "four leaf clovers", "tropical fish": "tropical fish",
                     "fish": "fish", "bunny": "bunnies", "globe showing Europe-Africa": "globes",
                     "snowman without snow": "snowmen"}


@dataclass(frozen=True)
class Object:
    emoji: str
    name: str
    everyday: str

    def names(self):
        return (self.name, self.everyday)


def with_article(name):
    if name in WITHOUT_ARTICLE:
        return name
    return ("an " if name[0] in "aeiou" else "a ") + name


def plural(name):
    if name in IRREGULAR_PLURALS:
        return IRREGULAR_PLURALS[name]
    if name in WITHOUT_ARTICLE:
        return name
    if name.endswith("y") and name[-2] not in "aeiou":
        return name[:-1] + "ies"
    if name.endswith(("s", "x", "ch", "sh")):
        return name + "es"
    return name + "s"


@cache
def annotations():
    """Every emoji's CLDR short name and keywords, in English."""
    found = {}
    for node in ElementTree.parse(ANNOTATIONS).getroot().iter("annotation"):
        name, keywords = found.get(node.get("cp"), ("", []))
        if node.get("type") == "tts":
            name = node.text
        else:
            keywords = [word.strip() for word in node.text.split("|")]
        found[node.get("cp")] = (name, keywords)
    return found


@cache
def objects():
    listed = []
    for entry in EMOJI.replace("\n", "|").split("|"):
        if entry:
            emoji, everyday = entry.split(" ", 1)
            listed.append(Object(emoji, annotations()[emoji][0], everyday))
    return tuple(listed)
