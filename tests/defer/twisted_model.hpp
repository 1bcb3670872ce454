#pragma once

#include "random_program.hpp"

#include <array>
#include <list>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

/// Twisted's Deferreds, as CONTRACT.md and DESIGN.md describe them, in the plainest way: a list of entries for
/// each, recursion in place of a loop, a word in a list for whatever can be seen. It knows nothing of the
/// library. Numbers are those of CONTRACT.md's statements.
namespace model {

using programs::Op;
using programs::Ops;
using programs::Script;

struct Result {
    enum class Kind { value, failure, none };
    Kind kind;
    std::string word;
};

inline Result gives(int id) {
    return {Result::Kind::value, std::to_string(id)};
}
inline Result fails(std::string word) {
    return {Result::Kind::failure, std::move(word)};
}
inline Result userError(int id) {
    return fails("E" + std::to_string(id));
}
inline Result none() {
    return {Result::Kind::none, "None"};
}
/// Who wants a value and finds None gets this.
inline Result asSeen(const Result& result) {
    return result.kind == Result::Kind::none ? fails("no result") : result;
}

class Twisted {
public:
    Twisted() = default;
    Twisted(const Twisted&) = delete;
    Twisted& operator=(const Twisted&) = delete;
    ~Twisted() {
        over_ = true;
        for (const auto& d : all_) d->entries.clear();
    }

    /// What could be seen of it, in order.
    std::vector<std::string> run(const Ops& program) {
        for (Handle& slot : slots_) slot = made();
        for (const Op& op : program) {
            perform({op});
            say(state());
        }
        closing_ = true;
        for (Handle& slot : slots_) slot = Handle();
        say("the end");
        destroyCoroutines();
        return std::move(words_);
    }

    /// Whether something is left that keeps itself alive.
    bool leaks() const {
        for (const auto& d : all_) {
            if (d->handles != 0) return true;
        }
        return false;
    }

private:
    struct Deferred;
    struct Coroutine;

    class Handle {
    public:
        Handle() = default;
        explicit Handle(Deferred& d) : d_(&d) { ++d.handles; }
        Handle(const Handle& other) : d_(other.d_) {
            if (d_ != nullptr) ++d_->handles;
        }
        Handle(Handle&& other) noexcept : d_(std::exchange(other.d_, nullptr)) {}
        Handle& operator=(Handle other) {
            std::swap(d_, other.d_);
            return *this;
        }
        ~Handle() {
            if (d_ != nullptr) d_->world.release(*d_);
        }

        explicit operator bool() const { return d_ != nullptr; }
        Deferred& operator*() const { return *d_; }
        Deferred* operator->() const { return d_; }
        Deferred* get() const { return d_; }

    private:
        Deferred* d_ = nullptr;
    };

    /// A DeferredList of two. Those of its members that have no result yet; and what they are to fire.
    using Members = std::array<Deferred*, 2>;
    struct List {
        bool fireOnOneErrback;
        bool consumeErrors;
        Handle all;
        std::shared_ptr<Members> members;
        std::array<Result, 2> results = {};
        int remaining = 2;
    };

    struct Entry {
        enum class Type {
            callback,
            errback,
            both,
            waiter,
            target,
            fork,
            number,
            listText,
            member,
            coroutine
        };
        Type type;
        std::shared_ptr<const Script> script = nullptr;
        Handle captured = {};
        Handle other = {}; // who waits for the result, or is fired with it
        Coroutine* coroutine = nullptr;
        std::shared_ptr<List> list = nullptr;
        std::size_t index = 0;
    };

    struct Deferred {
        explicit Deferred(Twisted& all) : world(all) {}

        bool idle() const { return called && !busy && !waiting && pauses == 0; }

        Twisted& world;
        int handles = 0;
        bool called = false;
        bool busy = false;    // its callbacks run
        bool waiting = false; // for a Deferred that its first entry returned
        int pauses = 0;
        bool suppressed = false;
        bool firedByMaker = false;
        bool isCoroutine = false;
        bool cancelling = false;
        bool dead = false;
        std::optional<Result> result;
        std::list<Entry> entries;
        Deferred* waitsOn = nullptr; // also the source of an unfired target of chainDeferred
        std::shared_ptr<const Script> canceller;
        std::shared_ptr<Members> members; // of the list that it is, until it is fired
        Coroutine* coroutine = nullptr;   // while it lives
    };

    struct Coroutine {
        std::shared_ptr<const Script> script;
        Handle own;
        std::size_t step = 0;
        Deferred* awaiting = nullptr;
        Handle local;
        bool uncounted = false;
        bool cancelled = false; // while it ran
    };

    struct Thrown {
        std::string word;
    };

    void say(std::string word) { words_.push_back(std::move(word)); }

    std::string state() const {
        std::string all = "state:";
        for (const Handle& slot : slots_) {
            all += ' ';
            if (!slot) {
                all += '-';
            } else if (slot->idle()) {
                all += slot->result->word;
            } else {
                all += slot->called ? "called" : "unfired";
                if (const int pauses = slot->pauses + (slot->waiting ? 1 : 0); pauses != 0)
                    all += std::to_string(pauses);
            }
        }
        return all;
    }

    // Statements.

    void perform(const Ops& ops) {
        if (closing_) return;
        for (const Op& op : ops) {
            try {
                statement(op);
            } catch (const Thrown& thrown) {
                say("threw " + thrown.word);
            }
        }
    }

    void statement(const Op& op) {
        using enum Op::Kind;
        Handle& slot = slots_[op.slot];
        if (op.kind == make) {
            slot = made(op.script);
            return;
        }
        if (op.kind == start) {
            slot = started(op.script);
            return;
        }
        if (!slot) return;
        Deferred& d = *slot;
        switch (op.kind) {
            case callback:
                return add(d, {Entry::Type::callback, op.script, captured(*op.script)});
            case errback:
                return add(d, {Entry::Type::errback, op.script, captured(*op.script)});
            case both:
                return add(d, {Entry::Type::both, op.script, captured(*op.script)});
            case fire:
                return fireByHand(d, gives(op.id));
            case fail:
                return fireByHand(d, userError(op.id));
            case cancel:
                return cancelIt(d);
            case pause:
                ++d.pauses;
                return;
            case unpause:
                if (d.pauses == 0) throw Thrown{"runtime"};
                if (--d.pauses == 0) runCallbacks(d);
                return;
            case chain:
                if (Handle& target = slots_[op.other]) {
                    if (target->members != nullptr) throw Thrown{"wrong type"};
                    chainTo(d, *target);
                }
                return;
            case drop:
                slot = Handle();
                return;
            case copy:
                slots_[op.other] = slot;
                return;
            case fork:
                slots_[op.other] = forked(d);
                return;
            case list:
                if (Handle& other = slots_[op.other]) other = listed(op, d, *other);
                return;
            default:
                return;
        }
    }

    Handle captured(const Script& script) {
        return script.outcome == Script::Outcome::captured ? slots_[script.slot] : Handle();
    }

    Handle made(std::shared_ptr<const Script> canceller = nullptr) {
        all_.push_back(std::make_unique<Deferred>(*this));
        all_.back()->canceller = std::move(canceller);
        return Handle(*all_.back());
    }

    void add(Deferred& d, Entry entry) {
        const Handle keep(d);
        d.entries.push_back(std::move(entry));
        runCallbacks(d);
    }

    Handle forked(Deferred& d) {
        const Handle copy = made();
        add(d, {Entry::Type::fork, nullptr, {}, copy});
        return copy;
    }

    // Lists.

    Handle listed(const Op& op, Deferred& first, Deferred& second) {
        const Handle all = made();
        all->firedByMaker = true;
        all->members = std::make_shared<Members>(Members{&first, &second});
        auto list = std::make_shared<List>(List{op.fireOnOneErrback, op.consumeErrors, all, all->members});
        std::array members{Handle(first), Handle(second)};
        for (std::size_t i = 0; i < 2; ++i) {
            add(*members[i], {Entry::Type::member, nullptr, {}, {}, nullptr, list, i});
            members[i] = Handle();
        }
        list = nullptr;
        add(*all, {Entry::Type::listText});
        return all;
    }

    void memberHasResult(Deferred& d) {
        const Entry entry = taken(d);
        List& list = *entry.list;
        (*list.members)[entry.index] = nullptr;
        --list.remaining;
        const Result result = asSeen(*d.result);
        const bool failed = result.kind == Result::Kind::failure;
        if (list.consumeErrors && d.result->kind == Result::Kind::failure) d.result = none();
        if (!list.all || list.all->called) return;
        list.results[entry.index] = result;
        if (failed && list.fireOnOneErrback) {
            fire(*Handle(std::move(list.all)), fails("first " + result.word));
        } else if (list.remaining == 0) {
            fire(*Handle(std::move(list.all)),
                 {Result::Kind::value, '[' + list.results[0].word + ',' + list.results[1].word + ']'});
        }
    }

    /// Whether a member was left that could be cancelled.
    bool cancelMembers(const Members& members) {
        bool any = false;
        for (Deferred* const& member : members) {
            if (member == nullptr) continue;
            any = true;
            cancelAndLog(*member);
        }
        return any;
    }

    // Firing.

    /// Whether it is to be fired now; swallows what a cancellation suppressed (37).
    static bool mayFire(Deferred& d) {
        if (d.firedByMaker) throw Thrown{"runtime"};
        if (d.called && !std::exchange(d.suppressed, false)) throw Thrown{"already called"};
        return !d.called;
    }

    void fireByHand(Deferred& d, Result result) {
        if (mayFire(d)) fire(d, std::move(result));
    }

    /// The canceller goes before the first callback runs (15).
    void fire(Deferred& d, Result result) {
        const Handle keep(d);
        d.result = std::move(result);
        d.called = true;
        d.members = nullptr;
        d.busy = true;
        dropCanceller(d);
        d.busy = false;
        runCallbacks(d);
    }

    void dropCanceller(Deferred& d) {
        if (const auto canceller = std::exchange(d.canceller, nullptr)) gone(*canceller);
    }

    void gone(const Script& script) {
        say("gone " + std::to_string(script.id));
        perform(script.atEnd);
    }

    // The chain.

    /// Nothing while it runs, waits or is paused (12, 13, 17, 21).
    void runCallbacks(Deferred& d) {
        if (!d.idle()) return;
        const Handle keep(d);
        d.busy = true;
        while (!d.waiting && d.pauses == 0 && !d.entries.empty()) step(d);
        d.busy = false;
    }

    /// Its first entry. A Deferred that waited goes on before the rest of the one that it waited for.
    void step(Deferred& d) {
        Entry& entry = d.entries.front();
        switch (entry.type) {
            case Entry::Type::waiter: {
                const Handle outer = taken(d).other;
                outer->result = std::exchange(*d.result, none());
                return conclude(*outer);
            }
            case Entry::Type::target: {
                const Handle target = taken(d).other;
                if (!target->called) target->waitsOn = nullptr;
                return fireOther(d, *target, none());
            }
            case Entry::Type::fork: {
                const Handle copy = taken(d).other;
                return fireOther(d, *copy, *d.result);
            }
            case Entry::Type::number:
                d.result = asSeen(*d.result);
                if (d.result->word.starts_with('[')) d.result->word = "0";
                taken(d);
                return;
            case Entry::Type::listText:
                taken(d);
                return;
            case Entry::Type::member:
                return memberHasResult(d);
            case Entry::Type::coroutine: {
                Coroutine* coroutine = taken(d).coroutine;
                if (coroutine != nullptr) resume(*coroutine, d);
                return;
            }
            case Entry::Type::callback:
            case Entry::Type::errback:
            case Entry::Type::both:
                break;
        }
        const bool failed = d.result->kind == Result::Kind::failure;
        if (entry.type == Entry::Type::both || failed == (entry.type == Entry::Type::errback)) {
            if (call(d, entry)) return;
        }
        dropCallable(entry);
        d.entries.pop_front();
    }

    static Entry taken(Deferred& d) {
        Entry entry = std::move(d.entries.front());
        d.entries.pop_front();
        return entry;
    }

    /// Fires another one with d's result, and leaves `left` there; what is thrown at that is d's result (29).
    void fireOther(Deferred& d, Deferred& other, Result left) {
        bool fires = false;
        try {
            fires = mayFire(other);
        } catch (const Thrown& thrown) {
            d.result = fails(thrown.word);
            return;
        }
        Result result = std::exchange(*d.result, std::move(left));
        if (fires) fire(other, std::move(result));
    }

    /// True if the entry returned a Deferred that it waits for.
    bool call(Deferred& d, Entry& entry) {
        using enum Script::Outcome;
        if (entry.type == Entry::Type::callback && d.result->kind == Result::Kind::none) {
            d.result = asSeen(*d.result);
            return false;
        }
        const Script& script = *entry.script;
        const bool isErrback = entry.type == Entry::Type::errback;
        const Result given = asSeen(*d.result);
        say("call " + std::to_string(script.id) + " with " + given.word);
        perform(script.ops);
        Handle returned;
        switch (script.outcome) {
            case error:
            case failed:
            case failure:
                d.result = userError(script.id);
                return false;
            case nothing:
                d.result = isErrback ? none() : gives(script.id);
                return false;
            case same:
                d.result = given;
                return false;
            case deferred:
                returned = slots_[script.slot];
                break;
            case Script::Outcome::captured:
                returned = entry.captured;
                break;
            case fresh:
                returned = made(script.canceller);
                break;
            case deferredNumber:
                returned = slots_[script.slot];
                if (returned && isErrback) {
                    returned = forked(*returned);
                    add(*returned, {Entry::Type::number});
                }
                break;
            default:
                break;
        }
        if (!returned) {
            d.result = gives(script.id);
            return false;
        }
        return waitFor(d, entry, std::move(returned));
    }

    /// Takes the result of one that has it, and leaves None there (22, 23); else waits (19, 21, 25).
    bool waitFor(Deferred& d, Entry& entry, Handle inner) {
        if (inner->idle()) {
            d.result = std::exchange(*inner->result, none());
            return false;
        }
        if (leadsTo(*inner, d)) {
            d.result = fails("runtime");
            return false;
        }
        inner->entries.push_back({Entry::Type::waiter, nullptr, {}, Handle(d)});
        d.waiting = true;
        d.waitsOn = inner.get();
        const bool mentioned = entry.captured.get() == inner.get() && inner->coroutine == nullptr;
        inner = Handle();
        // A callable that holds what it returned isn't kept: it would keep what keeps it.
        if (mentioned && d.waiting) dropCallable(entry);
        return true;
    }

    void dropCallable(Entry& entry) {
        const Handle captured = std::move(entry.captured);
        if (const auto script = std::exchange(entry.script, nullptr)) gone(*script);
    }

    /// What its first entry waited for has come.
    void conclude(Deferred& d) {
        d.waiting = false;
        d.waitsOn = nullptr;
        const bool wasBusy = std::exchange(d.busy, true);
        dropCallable(d.entries.front());
        d.entries.pop_front();
        d.busy = wasBusy;
        runCallbacks(d);
    }

    void chainTo(Deferred& d, Deferred& target) {
        if (leadsTo(d, target)) throw Thrown{"runtime"};
        if (!target.called) target.waitsOn = &d;
        add(d, {Entry::Type::target, nullptr, {}, Handle(target)});
    }

    static bool leadsTo(const Deferred& from, const Deferred& to) {
        const Deferred* at = &from;
        while (at != nullptr && at != &to) {
            if (at->isCoroutine && !at->called) {
                at = at->coroutine != nullptr ? at->coroutine->awaiting : nullptr;
            } else {
                at = at->called && !at->waiting ? nullptr : at->waitsOn;
            }
        }
        return at != nullptr;
    }

    // Coroutines.

    Handle started(const std::shared_ptr<const Script>& script) {
        Handle own = made();
        own->firedByMaker = true;
        own->isCoroutine = true;
        coroutines_.push_back(std::make_unique<Coroutine>(Coroutine{script, own, 0, nullptr, {}}));
        own->coroutine = coroutines_.back().get();
        proceed(*own->coroutine);
        return own;
    }

    void proceed(Coroutine& coroutine) {
        const Script& script = *coroutine.script;
        for (; coroutine.step < script.awaits.size(); ++coroutine.step) {
            const Script::Await& await = script.awaits[coroutine.step];
            perform(await.before);
            if (!slots_[await.slot]) continue;
            Deferred& d = *slots_[await.slot];
            const bool isLocal = await.form == Script::Await::Form::local;
            Handle local = isLocal ? Handle(d) : Handle();
            Handle held =
                await.asResult || await.form == Script::Await::Form::temporary ? Handle(d) : Handle();
            if (!d.idle() && std::exchange(coroutine.cancelled, false)) {
                held = Handle(d);
                cancelAndLog(d);
            }
            Result got = none();
            if (d.idle()) {
                got = take(d);
            } else if (leadsTo(d, *coroutine.own)) {
                got = fails("runtime");
            } else {
                d.entries.push_back({Entry::Type::coroutine, nullptr, {}, {}, &coroutine});
                coroutine.awaiting = &d;
                // A local that isn't the only handle doesn't count while it waits.
                coroutine.uncounted = isLocal && d.handles > (held ? 2 : 1);
                if (coroutine.uncounted) --d.handles;
                coroutine.local = std::move(local);
                return;
            }
            held = Handle();
            local = Handle();
            if (!goesOn(coroutine, got)) return;
        }
        perform(script.ops);
        end(coroutine, script.outcome == Script::Outcome::error ? userError(script.id) : gives(script.id));
    }

    static Result take(Deferred& d) {
        return d.result->kind == Result::Kind::none ? asSeen(*d.result) : std::exchange(*d.result, none());
    }

    bool goesOn(Coroutine& coroutine, const Result& got) {
        say("coroutine " + std::to_string(coroutine.script->id) + " got " + got.word);
        if (got.kind != Result::Kind::failure || coroutine.script->awaits[coroutine.step].catches)
            return true;
        end(coroutine, got);
        return false;
    }

    static void waitIsOver(Coroutine& coroutine) {
        if (std::exchange(coroutine.uncounted, false)) ++coroutine.awaiting->handles;
        coroutine.awaiting = nullptr;
    }

    void resume(Coroutine& coroutine, Deferred& d) {
        const Handle own = coroutine.own;
        waitIsOver(coroutine);
        own->busy = true;
        const Result got = take(d);
        coroutine.local = Handle();
        if (goesOn(coroutine, got)) {
            ++coroutine.step;
            proceed(coroutine);
        }
        own->busy = false;
        runCallbacks(*own);
    }

    void end(Coroutine& coroutine, Result result) {
        leaveFrame(coroutine);
        coroutine.own->result = std::move(result);
        coroutine.own->called = true;
        coroutine.own = Handle();
    }

    void abandon(Coroutine& coroutine) {
        waitIsOver(coroutine);
        say("abandoned");
        coroutine.local = Handle();
        leaveFrame(coroutine);
        dropHolders(*coroutine.own);
        coroutine.own = Handle();
    }

    /// While the coroutine lived, it might run in them.
    void dropHolders(Deferred& own) {
        ++own.pauses;
        for (Entry& entry : own.entries) {
            if (entry.type != Entry::Type::waiter || entry.other->waitsOn != &own || entry.other->busy)
                continue;
            Entry& holder = entry.other->entries.front();
            if (holder.captured.get() == &own) dropCallable(holder);
        }
        if (--own.pauses == 0) runCallbacks(own);
    }

    void leaveFrame(Coroutine& coroutine) {
        say("frame gone " + std::to_string(coroutine.script->id));
        perform(coroutine.script->atEnd);
        coroutine.own->coroutine = nullptr;
    }

    /// At the thread's end: the newest first.
    void destroyCoroutines() {
        for (std::size_t i = coroutines_.size(); i-- > 0;) {
            Coroutine& coroutine = *coroutines_[i];
            if (coroutine.awaiting == nullptr) continue;
            for (Entry& entry : coroutine.awaiting->entries) {
                if (entry.coroutine == &coroutine) entry.coroutine = nullptr;
            }
            abandon(coroutine);
        }
    }

    // Cancelling.

    void cancelAndLog(Deferred& d) {
        const Handle keep(d);
        try {
            cancelIt(d);
        } catch (const Thrown& thrown) {
            say("logged " + thrown.word);
        }
    }

    /// What it waits for in the end (42, 80), or itself (37 to 41, 43).
    void cancelIt(Deferred& d) {
        if (d.dead) return;
        if (d.called) {
            if (!d.waiting) return;
            if (d.waitsOn != nullptr && !d.waitsOn->dead) return cancelIt(*d.waitsOn);
            const Handle keep(d);
            d.result = fails("cancelled");
            return conclude(d);
        }
        if (d.coroutine != nullptr) {
            if (d.coroutine->awaiting != nullptr && !d.coroutine->awaiting->dead)
                return cancelIt(*d.coroutine->awaiting);
            d.coroutine->cancelled = true;
            return;
        }
        if (d.cancelling) return;
        if (d.members != nullptr) {
            const Handle keep(d);
            d.cancelling = true;
            if (!cancelMembers(*std::shared_ptr(d.members)) && !d.called) fire(d, fails("cancelled"));
            d.cancelling = false;
            return;
        }
        if (d.canceller == nullptr) {
            d.suppressed = true;
            return fire(d, fails("cancelled"));
        }
        const Handle keep(d);
        const auto canceller = std::exchange(d.canceller, nullptr);
        d.cancelling = true;
        try {
            callCanceller(d, *canceller);
        } catch (const Thrown&) {
            uncancel(d, canceller);
            throw;
        }
        if (!d.called) fire(d, fails("cancelled"));
        uncancel(d, canceller);
    }

    void callCanceller(Deferred& d, const Script& canceller) {
        say("canceller " + std::to_string(canceller.id));
        perform(canceller.ops);
        switch (canceller.outcome) {
            case Script::Outcome::value:
                return fireByHand(d, gives(canceller.id));
            case Script::Outcome::failed:
                return fireByHand(d, userError(canceller.id));
            case Script::Outcome::error:
                throw Thrown{"E" + std::to_string(canceller.id)};
            default:
                return;
        }
    }

    void uncancel(Deferred& d, const std::shared_ptr<const Script>& canceller) {
        d.cancelling = false;
        if (d.called) {
            gone(*canceller);
        } else {
            d.canceller = canceller;
        }
    }

    // The end: those that die of another one's death wait for their turn.

    void release(Deferred& d) {
        if (over_ || --d.handles != 0 || std::exchange(d.dead, true)) return;
        d.handles = 1;
        graves_.push_back(&d);
        if (graves_.size() > 1) return;
        while (!graves_.empty()) {
            Deferred& dead = *graves_.front();
            bury(dead);
            --dead.handles;
            graves_.pop_front();
        }
    }

    void bury(Deferred& d) {
        if (d.called && !d.waiting && d.result->kind == Result::Kind::failure)
            say("unhandled " + d.result->word);
        while (!d.entries.empty()) {
            Entry& entry = d.entries.front();
            if (entry.other && entry.other->waitsOn == &d) entry.other->waitsOn = nullptr;
            if (entry.coroutine != nullptr) abandon(*entry.coroutine);
            if (entry.list != nullptr) (*entry.list->members)[entry.index] = nullptr;
            dropCallable(entry);
            d.entries.pop_front();
        }
        dropCanceller(d);
    }

    std::vector<std::string> words_;
    bool closing_ = false;
    bool over_ = false;
    std::list<Deferred*> graves_;
    std::vector<std::unique_ptr<Deferred>> all_;
    std::vector<std::unique_ptr<Coroutine>> coroutines_;
    std::array<Handle, programs::slotCount> slots_;
};

} // namespace model
