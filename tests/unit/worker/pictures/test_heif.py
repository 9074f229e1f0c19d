"""HEIC is read where its decoder is installed, and named where it is not."""

import base64
import sys
import zlib
from pathlib import Path

import pytest
from PIL import Image

from worker.contract.errors import RowError
from worker.pictures import heif
from worker.pictures.decoding import read, size_of

#: 24 × 16 pixels, the left half red and the right one blue, encoded once: the decoder that is installed cannot write.
PLAIN = zlib.decompress(
    base64.b85decode(
        "c-muNV30{GsVvAy%}izhg51nBLl8SRGck>Ufw3kxwIq=N0u(b+a*CjAhJwuG5(YG&l$nzcHpIn&fe{FSfN=qY1_Cc2R?f`KO9S&jqM|@fDif5KQI"
        ">27V)7MamgK^f{K+gRDge@VG7FOPfpjTQnKL6ZNN56Bk=zG{KYxGxU|`^9P5|nVaA4$N{Qn=MfElEM8HD6^F*zgxB{iKG8PQ}GC^WK8d$n%Xvj>U`4m"
        "2<@@HBvgTatjP*<2V879Z>c+98~rpHq~VoKpc5<z-+4Dq#@GEG|feddvZeHIj1@K@O9Ex?KQ7|NsC029Ra~(icE9NW37kA`_&MnS+A^q&~AC7Z%3AU}"
        "J4$VrFdtvV(F{5<y|?rop(L^F)@Ll=AGr|Ki_&i7#Bwbg|*9yKR-%LlL#SUM*d5Pa!RDhu_;~H!$4MwE3&=@OkPz{laXcm#2Sj+UVEtSUGfUwGIG^1a"
        "6N"
    )
)


#: The same as a telephone keeps it that was held upright: to be turned by 270° (the box "irot").
TURNED = zlib.decompress(
    base64.b85decode(
        "c-muNV30{GsVvAy%}izhg51nBLl8SRGck>Uf$?~5YDppk1Sn>t<P<^K3<a6VB@Af5Br_);Y>0~k0}}%yh{gCCLIZ&pPz(r|OyMFbKx~njnU@"
        "CUfn-I2oK&zfpqh-bWJ3ldK}L`g*NRNAa=wDhl3WI;N=CNKf}#Q-`)OuDaz2nQ1?qKXWCjUM04tLF!0_kqj~@&S{LBeJ9TE<VJdFSUgA_1>R"
        "4{{(+%6`EM4+Um6C)#<%mRf*)@iTS&3g7galwHG1_qu6kZ?;9P&Jzi<H6#Coj^N;lk;<m@{)5ZfTFw%Y(OOpBALYnsZifKK(R)0P9n%*5)ij"
        "D2!QDS|Nq|rg#nPh01XR)g3O9ckVa+>4h|s2nOT%y0(1_8WM)AwEKV4Kes5%AW^HK$a-=egQq!Oke90-r$>3N3*-@68k_d_}Hx0)1oF}r}q?"
        "Bg|{ulrLOMKyari%?<-EFJ99*U^t^=j#gdkSfJJN(`@yMf`3rp;e{htE^*=@(`jy*&MM(?-9B$I78=t95`Tu|Xoj*Ox&H$m3vOWE2906(~R;"
        "4gdhEk9uh"
    )
)


@pytest.fixture
def phone(tmp_path: Path) -> Path:
    """Write the picture."""
    path = tmp_path / "phone.jpg"
    path.write_bytes(PLAIN)
    return path


def test_a_heic_arrives(phone: Path) -> None:
    """A picture of a telephone has its size by its header, and its colours."""
    pytest.importorskip("pi_heif", reason="the extra heif is not installed")
    image = read(phone).image
    assert size_of(phone) == image.size == (24, 16)
    assert image.getpixel((3, 8)) == pytest.approx((200, 40, 40), abs=12)
    assert image.getpixel((20, 8)) == pytest.approx((40, 40, 200), abs=12)


def test_a_heic_arrives_upright(phone: Path) -> None:
    """A picture that was stored turned arrives as it is to be seen, once turned and not twice."""
    pytest.importorskip("pi_heif", reason="the extra heif is not installed")
    phone.write_bytes(TURNED)
    image = read(phone).image
    assert size_of(phone) == image.size == (16, 24)
    assert image.getpixel((8, 3)) == pytest.approx((200, 40, 40), abs=12)
    assert image.getpixel((8, 20)) == pytest.approx((40, 40, 200), abs=12)


def test_its_pixels_are_limited(phone: Path) -> None:
    """The limit holds before anything is decoded."""
    pytest.importorskip("pi_heif", reason="the extra heif is not installed")
    with pytest.raises(RowError, match=r"has more than 383 pixels \(24x16\)\.$"):
        size_of(phone, max_pixels=383)


@pytest.mark.parametrize("length", [40, 200, len(PLAIN) - 30])
def test_a_broken_heic_is_refused(phone: Path, length: int) -> None:
    """Wherever it is cut off, it is broken."""
    pytest.importorskip("pi_heif", reason="the extra heif is not installed")
    phone.write_bytes(PLAIN[:length])
    with pytest.raises(RowError, match=": is broken "):
        read(phone)


def test_a_file_that_crashes_its_decoder_is_one_rows_error(phone: Path) -> None:
    """What ends the decoder's process (pi-heif 1.4: a kind of metadata that is no text) ends no other."""
    pytest.importorskip("pi_heif", reason="the extra heif is not installed")
    phone.write_bytes(TURNED.replace(b"Exif", b"Exi\xb0", 1))
    with pytest.raises(RowError, match=r"is broken \(HEIC: its decoder ended with signal \d+\)\.$"):
        read(phone)


def test_pillow_is_left_alone(phone: Path) -> None:
    """Who opens pictures in this process by Pillow alone finds its formats as they were."""
    pytest.importorskip("pi_heif", reason="the extra heif is not installed")
    read(phone)
    assert "HEIF" not in Image.registered_extensions().values()
    assert "HEIF" not in Image.OPEN


def test_without_the_extra_it_is_named(phone: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where the decoder is not installed, the sentence says how to install it."""
    monkeypatch.setattr(sys, "path", [entry for entry in sys.path if "site-packages" not in entry])
    monkeypatch.setattr(sys, "path_importer_cache", {})
    monkeypatch.delitem(sys.modules, "pi_heif", raising=False)
    assert heif.find_spec("pi_heif") is None
    with pytest.raises(RowError, match=r"phone\.jpg: is HEIC \(pip install 'bulk-image-editor\[heif\]'\)\.$"):
        size_of(phone)
