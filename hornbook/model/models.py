"""The three shapes a model can have: `Decoder`, `Encoder`, `EncoderDecoder`."""

from hornbook.model.decoder import Decoder, DecoderModel
from hornbook.model.encoder import Encoder, EncoderModel
from hornbook.model.encoder_decoder import EncoderDecoder, EncoderDecoderModel

Model = Decoder | Encoder | EncoderDecoder  # a design
AnyModel = DecoderModel | EncoderModel | EncoderDecoderModel  # one with weights
