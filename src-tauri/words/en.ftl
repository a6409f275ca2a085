### What tray and notifications say, in Project Fluent (https://projectfluent.org). English is the source of other languages.
### Reeve fills in what stands in braces: names of agents, folders and causes are foreign and are never translated.

## The menu of the tray

connecting = Connecting
protected = { $agents ->
        [one] Protected, { $agents } agent
       *[other] Protected, { $agents } agents
    }
observing = Observing
paused = Paused
stopped = Stopped
degraded = Degraded: { $cause }
unreachable = Degraded: engine not reachable
tooltip = Reeve: { $state }

waiting = { $held ->
        [0] Nothing is waiting
       *[other] { $held } waiting: Review
    }

# Who, what kind of action, and how it was decided.
decision = { $agent } · { $kind } · { $state ->
        [allowed] allowed
        [waiting] waiting
        [approved] approved
        [refused] refused
        [expired] expired
        [withdrawn] withdrawn
       *[denied] denied
    }

open = Open Reeve
pause = Pause
pause-quarter = 15 minutes
pause-hour = 1 hour
pause-open = Until resumed…
resume = Resume
# A question comes first.
resume-asks = Resume…
stop = Stop all

# What quitting does: the window and the tray go, the engine stays as long as agents run.
quit = { $sessions ->
        [0] Quit
        [one] Quit: { $sessions } session stays governed, what waits is not shown
       *[other] Quit: { $sessions } sessions stay governed, what waits is not shown
    }

## Notifications

# Their button; it decides nothing.
review = Review

risk = { $risk ->
        [low] Low
        [medium] Medium
        [high] High
       *[critical] Critical
    }

held-one = { $agent } is waiting
held-one-body = { $risk } · in { $folder }
held-one-nowhere = { $risk } · in an unnamed folder
held-many = { $count ->
        [one] { $count } action waiting
       *[other] { $count } actions waiting
    }
held-many-body = Highest: { $risk }

denied = { $agent } was denied

budget = { $share } % of today's limit is used
budget-body = { $spent } of { $limit }

lost = Protection lost
lost-unreachable = The engine does not answer. Nothing passes until it runs.
lost-degraded = What cannot be decided or recorded is denied.

tools = Tools to review
tools-body = { $count ->
        [one] A new or changed tool or server is held until you review it.
       *[other] { $count } new or changed tools and servers are held until you review them.
    }

credential = A credential is refused
credential-body = Its host refuses it. Requests with it are answered by Reeve until you replace or test it.

loosened = Looser rules wait
loosened-body = Rules or limits were loosened outside Reeve. What you agreed to stays in force until you load them.
