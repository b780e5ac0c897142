//! How large the parts of an upload are.

use std::num::NonZeroU32;

/// The sizes of the parts of a file whose length is not known beforehand.
///
/// Parts are small at first, so that little memory is held, and grow later, so that a long file does not run out of
/// part numbers: [`FIRST`](Self::FIRST) up to the 1,250th part (about 10 GB), then a sixteenth larger every 82 parts, up
/// to the store's largest; of a store that takes fewer parts, sooner.
///
/// | schedule | parts | part | file at most |
/// |---|---|---|---|
/// | [`S3`](Self::S3), [`GCS`](Self::GCS) | 10,000 | 8 MiB to 5 GiB | 6.9 TiB |
/// | [`AZURE`](Self::AZURE) | 50,000 | 8 MiB to 4,000 MiB | 159 TiB |
/// | [`FEW_PARTS`](Self::FEW_PARTS) | 1,000 | 8 MiB to 5 GiB | 791 GiB |
/// | [`R2`](Self::R2), [`equal`](Self::equal) | 10,000 | equal, 64 MiB unless said otherwise | 625 GiB |
///
/// Amazon S3's largest object, 48.8 TiB, is 10,000 parts of 5 GiB each: no schedule that begins smaller reaches it, and
/// one that comes near holds parts of gigabytes in memory early on. Who delivers more than 6.9 TiB in one file says so
/// with [`equal`](Self::equal).
///
/// ```
/// use consign::store::PartSchedule;
///
/// let schedule = PartSchedule::S3;
/// assert_eq!(schedule.size(1), Some(8 << 20));
/// assert_eq!(schedule.size(1_250), Some(8 << 20));
/// assert_eq!(schedule.size(1_251), Some((8 << 20) / 16 * 17));
/// assert_eq!(schedule.size(10_000), Some(5 << 30));
/// assert_eq!(schedule.size(10_001), None);
/// ```
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub struct PartSchedule {
    first: u64,
    largest: u64,
    most: u32,
    growth: Growth,
}

#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
enum Growth {
    None,
    /// Parts keep their first size up to this number, and there are so many of each size after it.
    Sixteenths {
        flat: u32,
        step: u32,
    },
}

const MIB: u64 = 1024 * 1024;

impl PartSchedule {
    /// The size of the first parts: above the 5 MiB that S3 asks for at least, and large enough that a request's
    /// overhead is small beside it.
    pub const FIRST: u64 = 8 * MIB;

    /// Amazon S3 and what speaks its protocol: at most 10,000 parts of at most 5 GiB (user guide, multipart upload
    /// limits).
    pub const S3: Self = Self {
        first: Self::FIRST,
        largest: 5 * 1024 * MIB,
        most: 10_000,
        growth: Growth::Sixteenths { flat: 1_250, step: 82 },
    };
    /// Servers of S3's protocol that take at most 1,000 parts, such as Scaleway's: parts grow after the 125th (1 GB), every
    /// eight parts.
    pub const FEW_PARTS: Self = Self { most: 1_000, growth: Growth::Sixteenths { flat: 125, step: 8 }, ..Self::S3 };
    /// Google Cloud Storage: as S3 (XML API, multipart uploads).
    pub const GCS: Self = Self::S3;
    /// Azure Blob Storage: at most 50,000 blocks of at most 4,000 MiB (scalability targets for blobs).
    pub const AZURE: Self = Self { largest: 4_000 * MIB, most: 50_000, ..Self::S3 };
    /// Cloudflare R2: all parts but the last are equal.
    pub const R2: Self = Self { first: 64 * MIB, growth: Growth::None, ..Self::S3 };

    /// A local folder: nothing is gained by holding more than a write of this size.
    pub(super) const FOLDER: Self = Self { first: MIB, growth: Growth::None, most: u32::MAX, largest: MIB };

    /// Parts of one size, for stores that need that, or for files whose size is known to be large. Each part in flight
    /// is held in memory.
    ///
    /// `None` for sizes that S3 does not take: below 5 MiB, or above 5 GiB.
    #[must_use]
    pub const fn equal(size: u64) -> Option<Self> {
        if size < 5 * MIB || size > Self::S3.largest {
            return None;
        }
        Some(Self { first: size, growth: Growth::None, ..Self::S3 })
    }

    /// The same sizes, and at most so many parts, if that is fewer: for a store that takes fewer. A file that needs more is
    /// refused before the part too many is sent.
    ///
    /// ```
    /// use std::num::NonZeroU32;
    ///
    /// use consign::store::PartSchedule;
    ///
    /// let schedule = PartSchedule::R2.with_most(NonZeroU32::new(100).expect("not zero"));
    /// assert_eq!((schedule.size(100), schedule.size(101)), (Some(64 << 20), None));
    /// ```
    #[must_use]
    pub const fn with_most(self, parts: NonZeroU32) -> Self {
        let most = if parts.get() < self.most { parts.get() } else { self.most };
        Self { most, ..self }
    }

    /// The size of the part with this number, from 1, in bytes; `None` above the most parts that the store takes. The
    /// last part of a file may be smaller.
    #[must_use]
    pub fn size(self, number: u32) -> Option<u64> {
        if number > self.most {
            return None;
        }
        match self.growth {
            Growth::None => Some(self.first),
            Growth::Sixteenths { flat, step } => {
                let steps = number.saturating_sub(flat).div_ceil(step);
                let size = (0..steps).try_fold(self.first, |size, _| (size < self.largest).then(|| size / 16 * 17));
                Some(size.map_or(self.largest, |size| size.min(self.largest)))
            }
        }
    }
}

impl Default for PartSchedule {
    /// [`PartSchedule::S3`], the tightest of those that grow.
    fn default() -> Self {
        Self::S3
    }
}
