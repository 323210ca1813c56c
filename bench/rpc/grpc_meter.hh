// Counting and timing of the gRPC client.
#pragma once

#include <array>
#include <chrono>
#include <cstdint>

namespace bench {

using steady = std::chrono::steady_clock;

inline steady::duration seconds_of(double seconds)
{
    return std::chrono::duration_cast<steady::duration>(std::chrono::duration<double>(seconds));
}

// Counts what is done after a warm-up and before the end.
class meter {
  public:
    static constexpr double warm_up_s = 0.5;

    explicit meter(double seconds)
        : start_(steady::now() + seconds_of(warm_up_s)), end_(start_ + seconds_of(seconds)),
          last_(start_)
    {
    }

    // One more is done.
    void tick()
    {
        last_ = steady::now();
        count_ += last_ >= start_ ? 1 : 0;
    }

    bool warm() const
    {
        return last_ >= start_;
    }

    bool over() const
    {
        return last_ >= end_;
    }

    double per_second() const
    {
        double elapsed = std::chrono::duration<double>(last_ - start_).count();
        return elapsed > 0 ? static_cast<double>(count_) / elapsed : 0;
    }

  private:
    steady::time_point start_;
    steady::time_point end_;
    steady::time_point last_;
    uint64_t count_ = 0;
};

// Times in steps of a tenth of a microsecond up to ten milliseconds; what is longer counts as that.
class histogram {
  public:
    void add(steady::duration took)
    {
        auto tenths = std::chrono::duration_cast<std::chrono::nanoseconds>(took).count() / 100;
        auto at = static_cast<uint64_t>(tenths);
        buckets_[at < buckets_.size() ? at : buckets_.size() - 1]++;
        count_++;
    }

    double quantile_us(double q) const
    {
        auto rank = static_cast<uint64_t>(q * static_cast<double>(count_));
        uint64_t seen = 0;
        for (size_t i = 0; i < buckets_.size(); i++) {
            seen += buckets_[i];
            if (seen > rank) {
                return static_cast<double>(i) / 10;
            }
        }
        return 0;
    }

  private:
    std::array<uint32_t, 100000> buckets_{};
    uint64_t count_ = 0;
};

} // namespace bench
