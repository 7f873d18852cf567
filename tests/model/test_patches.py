"""Images as rows of patches, against a convolution."""

import pytest
import torch
import torch.nn.functional as F

from hornbook.model.mask import Sight
from hornbook.model.patches import Patches
from hornbook.model.position import PositionBase


@torch.no_grad()
def test_a_matrix_of_pixels_is_a_convolution_of_its_stride() -> None:
    embedding, images = Patches(image=12, patch=4, channels=3).build(5), torch.randn(2, 3, 12, 12)
    for parameter in embedding.parameters():
        torch.nn.init.normal_(parameter)
    found = embedding(images, PositionBase(), torch.arange(10)[None], Sight(10))
    kernel = embedding.pixels.weight.reshape(5, 3, 4, 4)
    wanted = F.conv2d(images, kernel, embedding.pixels.bias, stride=4).flatten(2).transpose(1, 2)
    torch.testing.assert_close(found[:, 1:], wanted)
    torch.testing.assert_close(found[:, 0], embedding.first.weight.expand(2, -1))


@pytest.mark.parametrize("shape", [(2, 1, 12, 12), (2, 3, 12, 8), (2, 3, 24, 24)])
def test_other_images_are_refused(shape: tuple[int, ...]) -> None:
    embedding = Patches(image=12, patch=4).build(5)
    with pytest.raises(ValueError, match="the model's images are"):
        embedding(torch.zeros(shape), PositionBase(), torch.arange(10)[None], Sight(10))


def test_sizes_that_cannot_be_are_refused() -> None:
    with pytest.raises(ValueError, match="patch: 5 does not divide image: 12"):
        Patches(image=12, patch=5)
    with pytest.raises(ValueError, match="channels: 0 is not above 0"):
        Patches(image=12, patch=4, channels=0)
