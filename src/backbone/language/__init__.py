"""The book's words in another language: `use` speaks it in a notebook; `telling` says how words are looked up."""

from backbone.language.telling import HERE as HERE
from backbone.language.telling import KEPT as KEPT
from backbone.language.telling import NUMBER as NUMBER
from backbone.language.telling import PLACE as PLACE
from backbone.language.telling import SHOWN as SHOWN
from backbone.language.telling import Catalogue as Catalogue
from backbone.language.telling import catalogue as catalogue
from backbone.language.telling import endings as endings
from backbone.language.telling import module_told as module_told
from backbone.language.telling import of_chapter as of_chapter
from backbone.language.telling import table as table
from backbone.language.telling import texts_of as texts_of
from backbone.language.telling import use as use
