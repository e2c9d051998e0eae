"""The elements of Matroska (RFC 9559) that are written, read or passed over here: identifiers and schema.

Elements of other parts of the format (chapters, attachments, seeking) are known by where they stand, so that
they are passed over whole.
"""

from typing import Final

from appliance.video.ebml import Element, Schema

EBML: Final = 0x1A45DFA3
EBML_VERSION: Final = 0x4286
EBML_READ_VERSION: Final = 0x42F7
EBML_MAX_ID_LENGTH: Final = 0x42F2
EBML_MAX_SIZE_LENGTH: Final = 0x42F3
DOC_TYPE: Final = 0x4282
DOC_TYPE_VERSION: Final = 0x4287
DOC_TYPE_READ_VERSION: Final = 0x4285
VOID: Final = 0xEC
CRC32: Final = 0xBF
SEGMENT: Final = 0x18538067
SEEK_HEAD: Final = 0x114D9B74
INFO: Final = 0x1549A966
SEGMENT_UID: Final = 0x73A4
TIMESTAMP_SCALE: Final = 0x2AD7B1
DURATION: Final = 0x4489
TITLE: Final = 0x7BA9
MUXING_APP: Final = 0x4D80
WRITING_APP: Final = 0x5741
TRACKS: Final = 0x1654AE6B
TRACK_ENTRY: Final = 0xAE
TRACK_NUMBER: Final = 0xD7
TRACK_UID: Final = 0x73C5
TRACK_TYPE: Final = 0x83
FLAG_LACING: Final = 0x9C
TRACK_NAME: Final = 0x536E
CODEC_ID: Final = 0x86
CODEC_PRIVATE: Final = 0x63A2
VIDEO: Final = 0xE0
PIXEL_WIDTH: Final = 0xB0
PIXEL_HEIGHT: Final = 0xBA
AUDIO: Final = 0xE1
CLUSTER: Final = 0x1F43B675
TIMESTAMP: Final = 0xE7
POSITION: Final = 0xA7
PREVIOUS_SIZE: Final = 0xAB
SIMPLE_BLOCK: Final = 0xA3
BLOCK_GROUP: Final = 0xA0
TAGS: Final = 0x1254C367
TAG: Final = 0x7373
TARGETS: Final = 0x63C0
SIMPLE_TAG: Final = 0x67C8
TAG_NAME: Final = 0x45A3
TAG_STRING: Final = 0x4487
TAG_BINARY: Final = 0x4485
CUES: Final = 0x1C53BB6B
CHAPTERS: Final = 0x1043A770
ATTACHMENTS: Final = 0x1941A469

VIDEO_TRACK: Final = 1
AUDIO_TRACK: Final = 2
"""Values of TrackType."""

H264_CODEC: Final = "V_MPEG4/ISO/AVC"
H265_CODEC: Final = "V_MPEGH/ISO/HEVC"
CODECS: Final = frozenset({H264_CODEC, H265_CODEC, "A_AAC", "A_MS/ACM"})
"""What Kinesis Video Streams takes."""

KEY_FLAG: Final = 0x80
LACING_FLAGS: Final = 0x06
"""In the flags of a SimpleBlock."""

SCHEMA: Schema = {
    EBML: Element("EBML", "master"),
    EBML_VERSION: Element("EBMLVersion", "unsigned", EBML),
    EBML_READ_VERSION: Element("EBMLReadVersion", "unsigned", EBML),
    EBML_MAX_ID_LENGTH: Element("EBMLMaxIDLength", "unsigned", EBML),
    EBML_MAX_SIZE_LENGTH: Element("EBMLMaxSizeLength", "unsigned", EBML),
    DOC_TYPE: Element("DocType", "text", EBML),
    DOC_TYPE_VERSION: Element("DocTypeVersion", "unsigned", EBML),
    DOC_TYPE_READ_VERSION: Element("DocTypeReadVersion", "unsigned", EBML),
    VOID: Element("Void", "skipped", anywhere=True),
    CRC32: Element("CRC-32", "skipped", anywhere=True),
    SEGMENT: Element("Segment", "master"),
    SEEK_HEAD: Element("SeekHead", "skipped", SEGMENT),
    INFO: Element("Info", "master", SEGMENT),
    SEGMENT_UID: Element("SegmentUUID", "binary", INFO),
    TIMESTAMP_SCALE: Element("TimestampScale", "unsigned", INFO),
    DURATION: Element("Duration", "float", INFO),
    TITLE: Element("Title", "text", INFO),
    MUXING_APP: Element("MuxingApp", "text", INFO),
    WRITING_APP: Element("WritingApp", "text", INFO),
    TRACKS: Element("Tracks", "master", SEGMENT),
    TRACK_ENTRY: Element("TrackEntry", "master", TRACKS),
    TRACK_NUMBER: Element("TrackNumber", "unsigned", TRACK_ENTRY),
    TRACK_UID: Element("TrackUID", "unsigned", TRACK_ENTRY),
    TRACK_TYPE: Element("TrackType", "unsigned", TRACK_ENTRY),
    FLAG_LACING: Element("FlagLacing", "unsigned", TRACK_ENTRY),
    TRACK_NAME: Element("Name", "text", TRACK_ENTRY),
    CODEC_ID: Element("CodecID", "text", TRACK_ENTRY),
    CODEC_PRIVATE: Element("CodecPrivate", "binary", TRACK_ENTRY),
    VIDEO: Element("Video", "master", TRACK_ENTRY),
    PIXEL_WIDTH: Element("PixelWidth", "unsigned", VIDEO),
    PIXEL_HEIGHT: Element("PixelHeight", "unsigned", VIDEO),
    AUDIO: Element("Audio", "skipped", TRACK_ENTRY),
    CLUSTER: Element("Cluster", "master", SEGMENT),
    TIMESTAMP: Element("Timestamp", "unsigned", CLUSTER),
    POSITION: Element("Position", "unsigned", CLUSTER),
    PREVIOUS_SIZE: Element("PrevSize", "unsigned", CLUSTER),
    SIMPLE_BLOCK: Element("SimpleBlock", "binary", CLUSTER),
    BLOCK_GROUP: Element("BlockGroup", "skipped", CLUSTER),
    TAGS: Element("Tags", "master", SEGMENT),
    TAG: Element("Tag", "master", TAGS),
    TARGETS: Element("Targets", "skipped", TAG),
    SIMPLE_TAG: Element("SimpleTag", "master", TAG),
    TAG_NAME: Element("TagName", "text", SIMPLE_TAG),
    TAG_STRING: Element("TagString", "text", SIMPLE_TAG),
    TAG_BINARY: Element("TagBinary", "skipped", SIMPLE_TAG),
    CUES: Element("Cues", "skipped", SEGMENT),
    CHAPTERS: Element("Chapters", "skipped", SEGMENT),
    ATTACHMENTS: Element("Attachments", "skipped", SEGMENT),
}
